package main

import (
	"embed"
	"fmt"
)

//go:embed config/*
var configFiles embed.FS

// writeConfig puts the configuration files where the components read them.
func writeConfig(p paths) error {
	for _, name := range []string{"audit-policy.yaml", "kwok.yaml"} {
		content, err := configFiles.ReadFile("config/" + name)
		if err != nil {
			return err
		}
		if err := writeFile(p.config(name), content, private); err != nil {
			return fmt.Errorf("configuration file %s: %w", name, err)
		}
	}
	return nil
}
