package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// systemPrograms run in pods of every cluster with real nodes, from images made of them.
var systemPrograms = []string{"pause", "coredns", "metrics-server", "prometheus-in-cluster"}

// image is what the pods of a program name. A simulated node runs nothing, whatever it is called.
func (o upOptions) image(program string) string {
	if o.kind != real {
		return "none"
	}
	return "vas.test/" + program + ":1"
}

// writeImage writes the archive of an image whose entry point is a static program, as the image of vas is written.
func writeImage(o buildOptions, name, program, output string) error {
	command := exec.Command(filepath.Join(o.source, "..", "..", "image", "archive.sh"),
		"--arch", runtime.GOARCH, "--program", program, "--image", name, "--output", output)
	if words, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(words)))
	}
	return nil
}

// systemImages writes the archives of the system's own images where they are not newer than their programs.
func systemImages(o upOptions) ([]string, error) {
	var archives []string
	for _, name := range systemPrograms {
		program := filepath.Join(o.build.bin, name)
		archive := filepath.Join(o.build.bin, name+".image.tar")
		archives = append(archives, archive)
		built, err := os.Stat(program)
		if err != nil {
			return nil, err
		}
		if written, err := os.Stat(archive); err == nil && written.ModTime().After(built.ModTime()) {
			continue
		}
		if err := writeImage(o.build, o.image(name), program, archive); err != nil {
			return nil, fmt.Errorf("image of %s: %w", name, err)
		}
	}
	return archives, nil
}

// loadImages puts archives of images into every real node of a running cluster.
func loadImages(ctx context.Context, p paths, archives []string) error {
	absolute := make([]string, len(archives))
	for i, archive := range archives {
		path, err := filepath.Abs(archive)
		if err != nil {
			return err
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if strings.ContainsAny(path, " \t\n") {
			return fmt.Errorf("load: %q has white space in its name", path)
		}
		absolute[i] = path
	}
	_, err := control(p, strings.Join(append([]string{"load"}, absolute...), " "))
	return err
}
