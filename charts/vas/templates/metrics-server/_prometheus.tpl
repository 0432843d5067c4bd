{{/*
The files that the servers of prometheus.servers need, each as a source of the projected volume: SERVER/FILE.
*/}}
{{- define "vas.prometheusSources" -}}
{{- range $server := .Values.prometheus.servers }}
{{- with .bearerTokenSecret }}
{{ include "vas.prometheusSource" (dict "of" "secret" "ref" . "path" (printf "%s/token" $server.name)) }}
{{- end }}
{{- with (.basicAuth).passwordSecret }}
{{ include "vas.prometheusSource" (dict "of" "secret" "ref" . "path" (printf "%s/password" $server.name)) }}
{{- end }}
{{- with .caSecret }}
{{ include "vas.prometheusSource" (dict "of" "secret" "ref" . "path" (printf "%s/ca.crt" $server.name)) }}
{{- end }}
{{- with .caConfigMap }}
{{ include "vas.prometheusSource" (dict "of" "configMap" "ref" . "path" (printf "%s/ca.crt" $server.name)) }}
{{- end }}
{{- with .clientCertificateSecret }}
{{- range list "tls.crt" "tls.key" }}
{{ include "vas.prometheusSource" (dict "of" "secret" "ref" (dict "name" $server.clientCertificateSecret "key" .) "path" (printf "%s/%s" $server.name .)) }}
{{- end }}
{{- end }}
{{- range .headers }}
{{- $header := . }}
{{- with .valueSecret }}
{{ include "vas.prometheusSource" (dict "of" "secret" "ref" . "path" (printf "%s/header-%s" $server.name $header.name)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "vas.prometheusSource" -}}
- {{ .of }}:
    name: {{ .ref.name | quote }}
    items:
    - {key: {{ .ref.key | quote }}, path: {{ .path | quote }}}
{{- end }}

{{/* The file of docs/metrics.md. */}}
{{- define "vas.prometheusConfig" -}}
apiVersion: config.scaling.voiceassist.io/v1alpha1
kind: MetricsServerConfiguration
prometheusServers:
{{- range $server := .Values.prometheus.servers }}
- name: {{ .name | quote }}
  {{- with omit . "name" "bearerTokenSecret" "basicAuth" "caSecret" "caConfigMap" "clientCertificateSecret" "headers" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if .bearerTokenSecret }}
  bearerTokenFile: {{ .name }}/token
  {{- end }}
  {{- with .basicAuth }}
  basicAuth:
    username: {{ .username | quote }}
    passwordFile: {{ $server.name }}/password
  {{- end }}
  {{- if or .caSecret .caConfigMap }}
  caFile: {{ .name }}/ca.crt
  {{- end }}
  {{- if .clientCertificateSecret }}
  certFile: {{ .name }}/tls.crt
  keyFile: {{ .name }}/tls.key
  {{- end }}
  {{- with .headers }}
  headers:
  {{- range . }}
  - name: {{ .name | quote }}
    {{- if .valueSecret }}
    valueFile: {{ $server.name }}/header-{{ .name }}
    {{- else }}
    value: {{ .value | quote }}
    {{- end }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
