package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
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

func runImage(args []string) error {
	flags := flag.NewFlagSet("cluster image", flag.ContinueOnError)
	name := flags.String("name", "", "NAME:TAG (required)")
	program := flags.String("program", "", "static program, which becomes the entry point (required)")
	output := flags.String("output", "", "file of the archive (required)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *name == "" || *program == "" || *output == "" || flags.NArg() > 0 {
		return errors.New("image: needs --name, --program and --output, and nothing else")
	}
	return writeImage(*name, *program, *output)
}

// writeImage writes an archive, in docker's format, of an image with one static program.
func writeImage(name, program, output string) error {
	base := filepath.Base(program)
	layer, err := os.CreateTemp(filepath.Dir(output), ".layer")
	if err != nil {
		return err
	}
	defer os.Remove(layer.Name())
	defer layer.Close()
	hash := sha256.New()
	if err := writeLayer(io.MultiWriter(layer, hash), program, base); err != nil {
		return err
	}
	config, err := json.Marshal(object{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": object{"User": "65532:65532", "Entrypoint": []string{"/" + base}, "WorkingDir": "/"},
		"rootfs": object{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(hash.Sum(nil))}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]object{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	part := output + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, public)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := tar.NewWriter(file)
	for name, content := range map[string][]byte{"config.json": config, "manifest.json": manifest} {
		if err := addFile(archive, name, bytes.NewReader(content), int64(len(content)), 0o644); err != nil {
			return err
		}
	}
	size, err := layer.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := layer.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := addFile(archive, "layer.tar", layer, size, 0o644); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return os.Rename(part, output)
}

func writeLayer(to io.Writer, program, name string) error {
	file, err := os.Open(program)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	layer := tar.NewWriter(to)
	// Data of a server that keeps some, and room for temporary files.
	for _, dir := range []string{"data/", "tmp/"} {
		header := &tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 65532, Gid: 65532}
		if err := layer.WriteHeader(header); err != nil {
			return err
		}
	}
	if err := addFile(layer, name, file, info.Size(), 0o755); err != nil {
		return err
	}
	return layer.Close()
}

func addFile(archive *tar.Writer, name string, content io.Reader, size, mode int64) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Size: size, Mode: mode}); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
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
		if err := writeImage(o.image(name), program, archive); err != nil {
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
