{{/* Labels of every object, as manifests/install sets them. */}}
{{- define "vas.labels" -}}
app.kubernetes.io/part-of: voiceassist-scaling
{{- end }}

{{- define "vas.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}

{{/* Gives a service account a ClusterRole: in all namespaces, or in those of watchNamespaces. Root, role, account. */}}
{{- define "vas.bindingInNamespaces" -}}
{{- $namespaces := .root.Values.watchNamespaces }}
{{- range $index, $namespace := $namespaces | default (list "") }}
{{- if $index }}
---
{{- end }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if $namespace }}RoleBinding{{ else }}ClusterRoleBinding{{ end }}
metadata:
  name: {{ $.role }}
  {{- with $namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels: {{- include "vas.labels" $.root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $.role }}
subjects:
- kind: ServiceAccount
  name: {{ $.account }}
  namespace: {{ $.root.Release.Namespace | quote }}
{{- end }}
{{- end }}

{{/* Whether the metrics server reads its Prometheus servers from a file. */}}
{{- define "vas.prometheusFile" -}}
{{- if or .Values.prometheus.servers .Values.prometheus.existingSecret }}true{{ end }}
{{- end }}

{{/* The Secret with the serving certificate; empty where the replicas issue one themselves. */}}
{{- define "vas.tlsSecret" -}}
{{- if .Values.tls.certManager.enabled }}vas-metrics-server-cert{{ else }}{{ .Values.tls.existingSecret }}{{ end }}
{{- end }}

{{/*
The certificate by which the API server trusts the metrics server, in base64; empty where vas or cert-manager writes it. With a
Secret of your own it is that of the values, else the Secret's ca.crt, where the chart can look at the cluster.
*/}}
{{- define "vas.caBundle" -}}
{{- if .Values.apiServices.caBundle -}}
{{ .Values.apiServices.caBundle }}
{{- else if and .Values.tls.existingSecret (not .Values.tls.certManager.enabled) -}}
{{- $secret := lookup "v1" "Secret" .Release.Namespace .Values.tls.existingSecret }}
{{- $ca := dig "data" "ca.crt" "" $secret }}
{{- if not $ca }}
{{- fail (printf "apiServices.create with tls.existingSecret: the API server would not trust the certificate, because apiServices.caBundle is empty and Secret %s/%s has no ca.crt that the chart can read (`helm template` and Argo CD read none): set apiServices.caBundle to the issuer's certificate, in base64" .Release.Namespace .Values.tls.existingSecret) }}
{{- end }}
{{- $ca }}
{{- end }}
{{- end }}

{{/* Whether the chart is rendered for a cluster that it can look at: not under `helm template`. */}}
{{- define "vas.sees" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}true{{ end }}
{{- end }}
