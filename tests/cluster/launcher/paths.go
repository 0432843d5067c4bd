package main

import (
	"os"
	"path/filepath"
)

// paths is the layout of a cluster's directory; README.md describes it.
type paths struct{ dir string }

func newPaths(dir string) (paths, error) {
	absolute, err := filepath.Abs(dir)
	return paths{absolute}, err
}

func (p paths) kubeconfig() string        { return filepath.Join(p.dir, "kubeconfig") }
func (p paths) audit() string             { return filepath.Join(p.dir, "audit.log") }
func (p paths) lock() string              { return filepath.Join(p.dir, "lock") }
func (p paths) pid() string               { return filepath.Join(p.dir, "pid") }
func (p paths) ports() string             { return filepath.Join(p.dir, "ports.json") }
func (p paths) controlPath() string       { return filepath.Join(p.dir, "control.path") }
func (p paths) etcd() string              { return filepath.Join(p.dir, "etcd") }
func (p paths) pki(name string) string    { return filepath.Join(p.dir, "pki", name) }
func (p paths) config(name string) string { return filepath.Join(p.dir, "config", name) }
func (p paths) log(component string) string {
	return filepath.Join(p.dir, "logs", component+".log")
}

// create makes the directories. They are private: they hold the keys to the
// cluster, and /tmp is a usual place for them.
func (p paths) create() error {
	for _, dir := range []string{p.dir, p.pki(""), p.config(""), filepath.Dir(p.log("x"))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// How files are readable: a cluster's are its owner's alone, since most hold
// keys; what was built is for everybody who may read the directory.
const (
	private os.FileMode = 0o600
	public  os.FileMode = 0o644
)

// writeFile replaces a file in one step, so that nobody reads half of it.
func writeFile(path string, content []byte, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
