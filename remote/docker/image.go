package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/client"
)

// labelContent on an image is the digest of what it was made from.
const labelContent = "fallacy.content"

// emptyImage returns the ID of an image with nothing in it, made when it is
// not there yet: no registry is asked.
func emptyImage(ctx context.Context, docker *client.Client) (string, error) {
	var content bytes.Buffer
	if err := tar.NewWriter(&content).Close(); err != nil {
		return "", fmt.Errorf("pack an empty image: %w", err)
	}
	label := fmt.Sprintf("%s=%x", labelContent, sha256.Sum256(content.Bytes()))
	if id, err := imageWith(ctx, docker, label); err != nil || id != "" {
		return id, err
	}
	answer, err := docker.ImageImport(ctx, client.ImageImportSource{Source: &content, SourceName: "-"}, "fallacy-empty",
		client.ImageImportOptions{Tag: "latest", Changes: []string{"LABEL " + label}})
	if err != nil {
		return "", fmt.Errorf("make an empty image: %w", err)
	}
	if _, err := io.Copy(io.Discard, answer); err != nil {
		return "", errors.Join(fmt.Errorf("make an empty image: %w", err), answer.Close())
	}
	if err := answer.Close(); err != nil {
		return "", fmt.Errorf("make an empty image: %w", err)
	}
	id, err := imageWith(ctx, docker, label)
	if err == nil && id == "" {
		err = errors.New("make an empty image: Docker took it and does not list it")
	}
	return id, err
}

// imageWith returns the ID of an image with the label; empty: there is none.
func imageWith(ctx context.Context, docker *client.Client, label string) (string, error) {
	images, err := docker.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("label", label)})
	if err != nil {
		return "", fmt.Errorf("list images: %w", err)
	}
	if len(images.Items) == 0 {
		return "", nil
	}
	return images.Items[0].ID, nil
}
