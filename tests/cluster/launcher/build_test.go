package main

import (
	"slices"
	"testing"
)

func TestHelmIsBuiltWhereItIsNamedAlone(t *testing.T) {
	names := func(asked ...string) []string {
		all, err := targets("..")
		if err != nil {
			t.Fatal(err)
		}
		built, err := chosen(all, asked, simulated)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, target := range built {
			names = append(names, target.name)
		}
		return names
	}
	if all := names(); slices.Contains(all, "helm") || !slices.Contains(all, "kubernetes") {
		t.Errorf("without names: %q", all)
	}
	if one := names("helm"); !slices.Equal(one, []string{"helm"}) {
		t.Errorf("helm alone: %q", one)
	}
	if _, err := chosen(nil, []string{"helmet"}, simulated); err == nil {
		t.Error("an unknown program was accepted")
	}
}
