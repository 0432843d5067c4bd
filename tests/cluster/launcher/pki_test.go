package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
)

func authority(t *testing.T, p paths, name string) *x509.CertPool {
	t.Helper()
	content, err := os.ReadFile(p.pki(name + ".crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		t.Fatalf("no certificate in %s", name)
	}
	return pool
}

func TestCertificatesAreOfTheirOwnAuthorityAlone(t *testing.T) {
	p := paths{t.TempDir()}
	if err := p.create(); err != nil {
		t.Fatal(err)
	}
	if err := ensurePKI(p); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range certificates {
		pair, err := tls.LoadX509KeyPair(p.pki(wanted.name+".crt"), p.pki(wanted.name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		usage := x509.ExtKeyUsageClientAuth
		if len(wanted.hosts) > 0 {
			usage = x509.ExtKeyUsageServerAuth
		}
		for _, issuer := range []string{"ca", "front-proxy-ca"} {
			_, err := pair.Leaf.Verify(x509.VerifyOptions{
				Roots: authority(t, p, issuer), KeyUsages: []x509.ExtKeyUsage{usage},
			})
			if (err == nil) != (issuer == wanted.issuer) {
				t.Errorf("%s against %s: %v", wanted.name, issuer, err)
			}
		}
		for _, host := range wanted.hosts {
			if err := pair.Leaf.VerifyHostname(host); err != nil {
				t.Errorf("%s: %v", wanted.name, err)
			}
		}
	}
}

func TestARestartKeepsTheKeys(t *testing.T) {
	p := paths{t.TempDir()}
	if err := p.create(); err != nil {
		t.Fatal(err)
	}
	var contents [2][]byte
	for i := range contents {
		err := ensurePKI(p)
		if err != nil {
			t.Fatal(err)
		}
		if contents[i], err = os.ReadFile(p.pki("service-account.key")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(contents[0], contents[1]) {
		t.Error("the service account key changed, which makes all tokens invalid")
	}
}
