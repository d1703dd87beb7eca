# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Part of tests/integration/engines: the engine "kube". It is the fake API server (tests/fake), or the cluster that
# KUBECONFIG names when ONEOFF_E2E is set (tests/integration/e2e). Either way there is a namespace of its own, with
# workloads made for the cases, and DIR holds
#	fake/		what the fake keeps: kubeconfig, kubeconfig-token, rbac.json, pods
#	kubeconfig	for the cases: the administrator's, with the namespace
#	kube.sock	`kubectl proxy`: how engine_kube.c asks the cluster without any code of ours
# The helper comes to every container by a ConfigMap, so that any image will do.

kube_image=${ONEOFF_E2E_IMAGE:-suite/app:1}
kube_launcher=suite/oneoff:1
[[ -z ${ONEOFF_E2E:-} ]] || kube_launcher=${ONEOFF_E2E_LAUNCHER:-}
kube_namespace=${ONEOFF_E2E_NAMESPACE:-oneoff-test}

# shellcheck disable=SC2154 # here: of tests/integration/engines
start_fake() {
	local dir=$1 curl
	need python3
	mkdir -p "$dir/fake"
	cat >"$dir/images.json" <<-'END'
		{"suite/app:1": {"cmd": ["sleep", "infinity"], "busybox": true, "env": {"FROM_IMAGE": "kept as it is"},
		  "digest": "sha256:aa11111111111111111111111111111111111111111111111111111111111111"},
		 "suite/app:2": {"cmd": ["sleep", "infinity"], "busybox": true, "env": {"FROM_IMAGE": "the second"},
		  "digest": "sha256:aa22222222222222222222222222222222222222222222222222222222222222"},
		 "suite/entry:1": {"entrypoint": ["/bin/entry"], "cmd": ["helper", "signals"], "busybox": true, "user": "1234:1235",
		  "files": {"/bin/entry": "#!/bin/sh\necho \"entrypoint $#\" >&2\nexec \"$@\"\n"},
		  "digest": "sha256:aa33333333333333333333333333333333333333333333333333333333333333"},
		 "suite/scratch:1": {"entrypoint": ["/usr/local/bin/helper", "signals"], "busybox": false,
		  "digest": "sha256:aa44444444444444444444444444444444444444444444444444444444444444"}}
	END
	curl=$(ldconfig -p | sed -n 's/.*libcurl\.so\.4 .*=> //p' | head -n 1) # which it only loads when it needs it
	cat >"$dir/launcher.json" <<-END
		{"$kube_launcher": {"entrypoint": ["/usr/bin/oneoff"], "user": "65532:65532",
		  "programs": {"/usr/bin/oneoff": "$(realpath "${ONEOFF:-$here/../../build/release/oneoff}")", "$curl": "$curl"},
		  "digest": "sha256:aa55555555555555555555555555555555555555555555555555555555555555"}}
	END
	setsid "$here/../fake/apiserver" --dir "$dir/fake" --no-shop --images "$dir/images.json" "$dir/launcher.json" \
		</dev/null >"$dir/ready" 2>"$dir/engine.log" &
	wait_until 20 grep -q '^ready ' "$dir/ready" || die "the fake API server does not start: see $dir/engine.log"
	KUBECONFIG=$dir/fake/kubeconfig
}

kube() {
	KUBECONFIG=$kubeconfig kubectl --namespace "$kube_namespace" "$@"
}

# container NAME IMAGE [MEMBERS]: one container of a pod, with the helper in its PATH
container() {
	echo "{\"name\":\"$1\",\"image\":\"$2\",\"imagePullPolicy\":\"IfNotPresent\"${3:+,$3},\"volumeMounts\":[
		{\"name\":\"tools\",\"mountPath\":\"/usr/local/bin/helper\",\"subPath\":\"helper\"},
		{\"name\":\"tools\",\"mountPath\":\"/bin/not-executable\",\"subPath\":\"not-executable\"}${mounts:-}]}"
}

# pod CONTAINERS [MEMBERS]: the spec of a pod
pod() {
	echo "{\"terminationGracePeriodSeconds\":1,\"automountServiceAccountToken\":false,\"containers\":[$1]${2:+,$2},
		\"volumes\":[{\"name\":\"tools\",\"configMap\":{\"name\":\"suite-tools\",\"items\":[
		{\"key\":\"helper\",\"path\":\"helper\",\"mode\":493},
		{\"key\":\"not-executable\",\"path\":\"not-executable\",\"mode\":420}]}}${volumes:-}]}"
}

# object VERSION KIND NAME SPEC [MEMBERS]: one object
object() {
	echo "{\"apiVersion\":\"$1\",\"kind\":\"$2\",\"metadata\":{\"name\":\"$3\"${5:+,$5}},\"spec\":$4}"
}

# workload KIND NAME SPEC [REPLICAS] [POD-METADATA] [MEMBERS]: with the label app=NAME, which it selects by
workload() {
	local selector="{\"matchLabels\":{\"app\":\"$2\"}}"
	object apps/v1 "$1" "$2" "{\"selector\":$selector${4:+,\"replicas\":$4}${6:+,$6},
		\"template\":{\"metadata\":{\"labels\":{\"app\":\"$2\"}${5:+,$5}},\"spec\":$3}}"
}

# deploy NAME SPEC [REPLICAS] [POD-METADATA]: a Deployment
deploy() {
	workload Deployment "$1" "$2" "${3:-1}" "${4:-}" '"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}'
}

# As the words of a JSON string.
variable() {
	echo ",{\"name\":\"$1\",\"value\":$(strings "$2")}"
}

# shellcheck disable=SC2016 # a dollar that nobody expands is the point
web_environment() {
	echo "{\"name\":\"FROM_IMAGE\",\"value\":\"kept as it is\"}"
	variable QUOTES 'it'"'"'s "both"'
	variable SPACES '  two  '
	echo ',{"name":"EMPTY","value":""}'
	variable EQUALS a=b=c
	variable UTF8 'Grüße 🚀'
	variable LINES $'one\ntwo'
	variable DOLLAR '$HOME ${X}'
	variable YAML_ON on
	variable YAML_OCTAL 0123
	variable YAML_FLOAT 1e3
	variable YAML_LINES $'a: b\n  - c # d\n'
}

# web: a bit of everything
web_spec() {
	local mounts volumes data='{"name":"data","emptyDir":{}}'
	[[ -n ${ONEOFF_E2E:-} ]] || data='{"name":"data","persistentVolumeClaim":{"claimName":"suite-data"}}'
	mounts=',{"name":"data","mountPath":"/data"},{"name":"bind","mountPath":"/bind"},{"name":"scratch","mountPath":"/scratch"}'
	volumes=",$data"',{"name":"bind","configMap":{"name":"suite-bind"}},{"name":"scratch","emptyDir":{"medium":"Memory","sizeLimit":"4Mi"}}'
	pod "$(container web "$kube_image" "\"command\":[\"helper\",\"signals\"],\"workingDir\":\"/srv/app\",
		\"env\":[$(web_environment)],
		\"ports\":[{\"name\":\"http\",\"containerPort\":8080}],
		\"securityContext\":{\"runAsUser\":1234,\"runAsGroup\":1235,\"allowPrivilegeEscalation\":false},
		\"resources\":{\"limits\":{\"memory\":\"128Mi\"},\"requests\":{\"cpu\":\"10m\",\"memory\":\"16Mi\"}}")" \
		'"securityContext":{"supplementalGroups":[1300],"fsGroup":1235},"hostAliases":[{"ip":"10.1.2.3","hostnames":["db.internal"]}]'
}

plain_spec() {
	pod "$(container "$1" "$kube_image" '"command":["helper","signals"]')"
}

# shellcheck disable=SC2016 # the container's shell expands it
# crowd: two containers, a classic and a native sidecar, an init container
crowd_spec() {
	local mounts=',{"name":"shared","mountPath":"/shared"}' volumes=',{"name":"shared","emptyDir":{}}'
	pod "$(container other "$kube_image" '"command":["sh","-c","echo classic >/shared/classic; exec helper signals"]'),$(
		container main "$kube_image" '"command":["helper","signals"],"env":[{"name":"WHICH","value":"main"}]')" \
		"\"initContainers\":[$(container setup "$kube_image" '"command":["sh","-c","echo first >/shared/init"]'),$(
			container helper-at-side "$kube_image" '"restartPolicy":"Always","command":["sh","-c","echo native >/shared/native; exec helper signals"]')]"
}

strict_spec() {
	pod "$(container strict "$kube_image" '"command":["helper","signals"],"securityContext":{"runAsUser":1000,"runAsGroup":1000,"runAsNonRoot":true,
		"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}}')"
}

never() {
	local spec=$1
	echo "${spec%\}},\"restartPolicy\":\"Never\"}"
}

# All objects, a document a line or so.
kube_objects() {
	local job
	job="{\"backoffLimit\":0,\"template\":{\"spec\":$(never "$(plain_spec job)")}}"
	deploy web "$(web_spec)" 1 '"annotations":{"oneoff.dev/task.labelled":"helper exit 0 labelled"}'
	deploy bulk "$(plain_spec bulk)"
	deploy ended "$(plain_spec ended)" 0
	deploy crowd "$(crowd_spec)" 1 '"annotations":{"kubectl.kubernetes.io/default-container":"main"}'
	deploy strict "$(strict_spec)"
	workload StatefulSet db "$(plain_spec db)" 1 '' '"serviceName":"db"'
	workload ReplicaSet solo "$(plain_spec solo)" 1
	workload DaemonSet agent "$(plain_spec agent)"
	object v1 Pod bare "$(plain_spec bare)" '"labels":{"app":"bare"}'
	object batch/v1 Job past "{\"suspend\":true,${job#\{}"
	object batch/v1 Job web "{\"suspend\":true,${job#\{}"
	object batch/v1 CronJob nightly "{\"schedule\":\"0 3 * * *\",\"suspend\":true,\"jobTemplate\":{\"spec\":$job}}"
	object v1 Service web '{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":"http"}]}'
	object policy/v1 PodDisruptionBudget web '{"minAvailable":"50%","selector":{"matchLabels":{"app":"web"}}}'
	[[ -z ${ONEOFF_E2E:-} ]] || return 0
	object v1 PersistentVolumeClaim suite-data '{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Mi"}}}'
	deploy entry "$(pod "$(container entry suite/entry:1)")" 1 '"annotations":{"oneoff.dev/entrypoint":"[\"/bin/entry\"]"}'
	deploy unknown "$(pod "$(container unknown suite/entry:1)")"
	deploy scratch "$(pod "$(container scratch suite/scratch:1 '"command":["helper","signals"]')")"
	workload Rollout canary "$(plain_spec canary)" 0 | sed 's|"apps/v1"|"argoproj.io/v1alpha1"|'
}

# The documented verbs (research: the least role), for the restricted account of the fake.
kube_role() {
	local where="\"namespaces\":[\"$kube_namespace\"]"
	cat <<-END
		{"verbs":["get"],"groups":["apps"],"resources":["deployments"],$where},
		{"verbs":["create","delete"],"groups":["batch"],"resources":["jobs"],$where},
		{"verbs":["list","watch"],"groups":[""],"resources":["pods"],$where},
		{"verbs":["get","create"],"groups":[""],"resources":["pods/attach"],$where},
		{"verbs":["create"],"groups":[""],"resources":["configmaps"],$where},
		{"verbs":["create"],"groups":["authorization.k8s.io","authentication.k8s.io"],"resources":["*"]}
	END
}

# The restricted user of the fake, for this namespace; DIR/rules.json: its rules, for cases that take some away.
write_role() {
	local dir=$1 user=system:serviceaccount:$kube_namespace:runner token
	token=$(sed -n 's/^ *token: //p' "$dir/fake/kubeconfig-token")
	kube_role | tr -d '\n' >"$dir/rules"
	printf '{"users":{"%s":{"token":"%s","rules":[%s]}}}' "$user" "$token" "$(<"$dir/rules")" >"$dir/fake/rbac.new"
	mv "$dir/fake/rbac.new" "$dir/fake/rbac.json"
	sed "s/namespace: shop/namespace: $kube_namespace/" "$dir/fake/kubeconfig-token" >"$dir/kubeconfig-token"
	echo "$token" >"$dir/token"
}

# What k8s-manifests has, applied as its kustomization.yaml says, and users with just these Roles.
kube_roles() {
	local user role
	kubectl kustomize "$here/../../k8s-manifests" | sed "s/namespace: default/namespace: $kube_namespace/" | kube apply -f -
	while read -r user role; do
		kube create rolebinding "$user-$role" --role="$role" --user="$user"
	done <<-END
		runner oneoff
		operator oneoff
		operator oneoff-operate
		deployer oneoff
		deployer oneoff-schedules
	END
}

kube_settled() {
	local wanted
	wanted=$(kube get deployments,statefulsets,daemonsets,replicasets -o jsonpath='{range .items[*]}{.spec.replicas}/{.status.readyReplicas} {end}') || return 1
	! grep -qE '(^| )1/( |$)' <<<"$wanted" && [[ $(kube get pod bare -o jsonpath='{.status.phase}') == Running ]]
}

start_kube() {
	local dir=$1
	need kubectl
	[[ -n ${ONEOFF_E2E:-} ]] || start_fake "$dir"
	kubeconfig=$dir/kubeconfig
	KUBECONFIG=$KUBECONFIG kubectl config view --raw --flatten --minify >"$kubeconfig"
	KUBECONFIG=$kubeconfig kubectl create namespace "$kube_namespace" >/dev/null || die "no namespace $kube_namespace of our own"
	echo "$kube_namespace" >"$dir/namespace"
	KUBECONFIG=$kubeconfig kubectl config set-context --current --namespace="$kube_namespace" >/dev/null
	strip --strip-all -o "$dir/root/helper" "$dir/root/bin/helper"
	{
		kube create configmap suite-tools --from-file="helper=$dir/root/helper" \
			--from-literal=not-executable=$'this is no program\n' --dry-run=client -o json
		kube create configmap suite-bind --from-literal=file=$'from the host\n' --dry-run=client -o json
	} | kube create -f - >/dev/null
	kube_objects >"$dir/objects.json"
	kube create --validate=false -f "$dir/objects.json" >/dev/null || die "the workloads cannot be made"
	[[ -n ${ONEOFF_E2E:-} ]] || write_role "$dir"
	kube_roles >/dev/null || die "the manifests cannot be applied"
	wait_until 60 kube_settled || die "the workloads do not get ready: $(kube get pods 2>&1)"
	KUBECONFIG=$kubeconfig setsid kubectl proxy --unix-socket="$dir/kube.sock" --accept-hosts='.*' \
		</dev/null >"$dir/proxy.log" 2>&1 &
	echo $! >"$dir/proxy.pid"
	wait_until 10 test -S "$dir/kube.sock" || die "kubectl proxy does not start: see $dir/proxy.log"
}

kube_environment() {
	local dir=$1
	echo "export KUBECONFIG='$dir/kubeconfig'"
	echo "export ONEOFF_RUNTIME=kubernetes"
	echo "export ONEOFF_TEST_NAMESPACE='$kube_namespace'"
	echo "export ONEOFF_TEST_IMAGE='$kube_image'"
	echo "export ONEOFF_TEST_LAUNCHER='$kube_launcher'"
	[[ -n ${ONEOFF_E2E:-} ]] || echo "export ONEOFF_TEST_FAKE='$dir/fake'"
	echo 'unset DOCKER_HOST DOCKER_CONTEXT CONTAINER_HOST KUBERNETES_SERVICE_HOST'
}

stop_kube() {
	local dir=$1
	kubeconfig=$dir/kubeconfig
	if [[ -n ${ONEOFF_E2E:-} && -s $dir/namespace ]]; then
		KUBECONFIG=$kubeconfig kubectl delete namespace "$(<"$dir/namespace")" --wait=false >/dev/null || true
	fi
	end_process "$dir/proxy.pid" 5
	end_process "$dir/fake/pid" 15
	rm -rf "${dir:?}"/{fake,kubeconfig,kubeconfig-token,rules,token,images.json,launcher.json,objects.json,ready,namespace,proxy.pid,proxy.log}
}
