-- The health of a VoiceAssistScaling for Argo CD:
-- resource.customizations.health.scaling.voiceassist.io_VoiceAssistScaling in the ConfigMap argocd-cm.
local health = { status = "Progressing", message = "the operator has not reported yet" }
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local ready = found["Ready"]
if ready == nil then
  return health
end
health.message = ready.reason .. ": " .. ready.message
-- A status of an older generation is about another spec.
local seen = ready.observedGeneration
if seen ~= nil and obj.metadata.generation ~= nil and seen < obj.metadata.generation then
  health.message = "the operator has not seen this generation yet"
elseif ready.status == "False" then
  health.status = "Degraded"
elseif ready.status == "True" then
  local suspended = found["Suspended"]
  if suspended ~= nil and suspended.status == "True" then
    health.status = "Suspended"
    health.message = suspended.message
  else
    health.status = "Healthy"
  end
end
return health
