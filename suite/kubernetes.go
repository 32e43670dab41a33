package suite

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// Job says how a suite is to be run on a Kubernetes cluster.
type Job struct {
	Shards int    // pods, each with a shard
	Image  string // with fallacy as its entrypoint
	Claim  string // of a PersistentVolumeClaim that all pods can write to
	Bucket string // or the URL of a bucket: s3://name?region=eu-central-1
	CPU    string // that a pod asks for, and may have
	Memory string
}

var notInNames = regexp.MustCompile(`[^a-z0-9-]+`)

// WriteKubernetes writes a ConfigMap with the suite's file and an indexed Job,
// whose pods each run the shard that JOB_COMPLETION_INDEX says, and leave its
// outcomes on the volume or in the bucket, from where "fallacy merge" joins them.
func (f *File) WriteKubernetes(w io.Writer, text []byte, job Job) error {
	switch {
	case job.Shards < 1:
		return errors.New("--shards has to be at least 1")
	case job.Image == "":
		return errors.New("--k8s-image is missing: the image that has fallacy as its entrypoint")
	case (job.Claim == "") == (job.Bucket == ""):
		return errors.New("say where the shards leave their outcomes: either --k8s-claim, the name of a PersistentVolumeClaim, or --upload, the URL of a bucket")
	}
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower("fallacy-"+f.Name), "-"), "-")
	metadata := yaml.MapSlice{{Key: "name", Value: name}, {Key: "labels", Value: yaml.MapSlice{{Key: "app.kubernetes.io/name", Value: "fallacy"}, {Key: "app.kubernetes.io/instance", Value: name}}}}
	for _, doc := range []yaml.MapSlice{
		{{Key: "apiVersion", Value: "v1"}, {Key: "kind", Value: "ConfigMap"}, {Key: "metadata", Value: metadata}, {Key: "data", Value: yaml.MapSlice{{Key: "suite.yaml", Value: string(text)}}}},
		{{Key: "apiVersion", Value: "batch/v1"}, {Key: "kind", Value: "Job"}, {Key: "metadata", Value: metadata}, {Key: "spec", Value: job.spec(name)}},
	} {
		out, err := yaml.MarshalWithOptions(doc, yaml.UseLiteralStyleIfMultiline(true))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "---\n%s", out); err != nil {
			return err
		}
	}
	return nil
}

// spec is the Job's. A shard that failed its tests has done its work: only
// trouble, which a new pod may not have, makes Kubernetes try again.
func (job Job) spec(name string) yaml.MapSlice {
	args := []string{"suite", "/suite/suite.yaml", "--shard", fmt.Sprintf("auto/%d", job.Shards)}
	volumes := []yaml.MapSlice{{{Key: "name", Value: "suite"}, {Key: "configMap", Value: yaml.MapSlice{{Key: "name", Value: name}}}}}
	mounts := []yaml.MapSlice{{{Key: "name", Value: "suite"}, {Key: "mountPath", Value: "/suite"}}}
	if job.Bucket != "" {
		args = append(args, "--out", "/out/shard", "--upload", job.Bucket)
		volumes = append(volumes, yaml.MapSlice{{Key: "name", Value: "out"}, {Key: "emptyDir", Value: yaml.MapSlice{}}})
	} else {
		args = append(args, "--out", "/out/shard-$(JOB_COMPLETION_INDEX)")
		volumes = append(volumes, yaml.MapSlice{{Key: "name", Value: "out"}, {Key: "persistentVolumeClaim", Value: yaml.MapSlice{{Key: "claimName", Value: job.Claim}}}})
	}
	mounts = append(mounts, yaml.MapSlice{{Key: "name", Value: "out"}, {Key: "mountPath", Value: "/out"}})
	resources := yaml.MapSlice{{Key: "cpu", Value: job.CPU}, {Key: "memory", Value: job.Memory}}
	container := yaml.MapSlice{
		{Key: "name", Value: "fallacy"}, {Key: "image", Value: job.Image}, {Key: "args", Value: append(args, "--resume")},
		{Key: "resources", Value: yaml.MapSlice{{Key: "requests", Value: resources}, {Key: "limits", Value: resources}}},
		{Key: "volumeMounts", Value: mounts},
	}
	return yaml.MapSlice{
		{Key: "completionMode", Value: "Indexed"}, {Key: "completions", Value: job.Shards}, {Key: "parallelism", Value: job.Shards},
		{Key: "backoffLimitPerIndex", Value: 1}, {Key: "maxFailedIndexes", Value: job.Shards},
		{Key: "podFailurePolicy", Value: yaml.MapSlice{{Key: "rules", Value: []yaml.MapSlice{{
			{Key: "action", Value: "FailIndex"},
			{Key: "onExitCodes", Value: yaml.MapSlice{{Key: "containerName", Value: "fallacy"}, {Key: "operator", Value: "In"}, {Key: "values", Value: []int{1, 2}}}},
		}}}}},
		{Key: "template", Value: yaml.MapSlice{
			{Key: "spec", Value: yaml.MapSlice{{Key: "restartPolicy", Value: "Never"}, {Key: "containers", Value: []yaml.MapSlice{container}}, {Key: "volumes", Value: volumes}}},
		}},
	}
}
