{{- define "quantum-runtime.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "quantum-runtime.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "quantum-runtime.labels" -}}
{{ include "quantum-runtime.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: quantum-runtime
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* The operator's identity, as admission sees it. */}}
{{- define "quantum-runtime.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "quantum-runtime.fullname" . }}
{{- end -}}

{{- /* What the operator may do in the namespaces it watches. */}}
{{- define "quantum-runtime.namespacedRules" -}}
- apiGroups: [quantumruntime.dev]
  resources: [runtimejobs]
  verbs: [get, list, watch, delete] # delete: spec.ttl.jobSeconds
- apiGroups: [quantumruntime.dev]
  resources: [runtimeprograms, runnerpools]
  verbs: [get, list, watch]
- apiGroups: [quantumruntime.dev]
  resources: [runtimejobs/status, runtimeprograms/status, runnerpools/status]
  verbs: [patch]
- apiGroups: [quantumruntime.dev]
  resources: [runtimejoboutputs]
  verbs: [create, get]
- apiGroups: [""]
  resources: [pods]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [pods/attach]
  verbs: [create, get]
- apiGroups: [""]
  resources: [configmaps] # programs with source.configMapRef
  verbs: [get]
- apiGroups: [""]
  resources: [serviceaccounts] # the runners', which has no rights
  verbs: [create, get]
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies] # the runners' isolation
  verbs: [create, get, list, patch, watch]
{{- end -}}

{{- /* Of an admission policy's binding: the namespaces the operator is responsible for. */}}
{{- define "quantum-runtime.whereWatched" -}}
{{- with .Values.config.watchNamespaces -}}
matchResources:
  namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: In
        values:
          {{- toYaml . | nindent 10 }}
{{- end -}}
{{- end -}}
