package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///directory
	_ "gocloud.dev/blob/s3blob"   // s3://bucket
)

// Upload copies the directory to a bucket, under the suite's name, the hash of
// its file and the shard, and returns that prefix. The bucket is a URL as the
// Go CDK has them: s3://name?region=eu-central-1&endpoint=… or file:///directory.
func (d *Dir) Upload(ctx context.Context, url string) (prefix string, err error) {
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return "", fmt.Errorf("--upload %s: %w", url, err)
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	prefix = path.Join(d.Head.Name, d.Head.Hash, fmt.Sprintf("shard-%d-of-%d", d.Head.Shard.Index, d.Head.Shard.Of))
	err = filepath.WalkDir(d.path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !entry.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(d.path, file)
		if err != nil {
			return err
		}
		return put(ctx, bucket, path.Join(prefix, filepath.ToSlash(rel)), file)
	})
	if err != nil {
		return "", fmt.Errorf("--upload %s: %w", url, err)
	}
	return prefix, nil
}

func put(ctx context.Context, bucket *blob.Bucket, key, file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	return bucket.Upload(ctx, key, in, &blob.WriterOptions{ContentType: "application/octet-stream"})
}

// Download copies what a bucket holds under a prefix into a directory, and
// returns the suites' directories that are there then.
func Download(ctx context.Context, url, prefix, to string) (dirs []string, err error) {
	bucket, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	objects := bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := objects.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		local := filepath.FromSlash(object.Key)
		if !filepath.IsLocal(local) {
			return nil, fmt.Errorf("%s: the object %q would be written outside %s", url, object.Key, to)
		}
		if err := get(ctx, bucket, object.Key, filepath.Join(to, local)); err != nil {
			return nil, fmt.Errorf("%s: %w", url, err)
		}
		if filepath.Base(local) == headFile {
			dirs = append(dirs, filepath.Join(to, filepath.Dir(local)))
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s holds no suite under %q", url, prefix)
	}
	return dirs, nil
}

func get(ctx context.Context, bucket *blob.Bucket, key, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(bucket.Download(ctx, key, out, nil), out.Close())
}
