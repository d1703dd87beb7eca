# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Part of tests/integration/engines: the engine "oci", which is no daemon but containers that crun (or
# ONEOFF_TEST_OCI_RUNTIME) has started. DIR then holds
#	bundles/NAME/config.json	the sources, as an engine would have written them
#	crun/			their state root; runc/ that of one that runc started
#	run/ store/		where oneoff keeps its own
#	image/ image.tar	an OCI image layout with the tags 1 and entry; docker.tar as `docker save` writes it
# and, where the machine allows, the path of a folder of a user without rights in DIR/rootless.

oci_runtime=${ONEOFF_TEST_OCI_RUNTIME:-crun}

# shellcheck disable=SC2016 # the inner shell expands it
# in_view COMMAND...: where crun sees no machine with both versions of cgroups, which it refuses
in_view() {
	if mountpoint -q /sys/fs/cgroup/unified; then
		unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "$@"
	else
		"$@"
	fi
}

# strings WORD...: as the inside of a JSON list
strings() {
	local word list=''
	for word; do
		word=${word//\\/\\\\}
		word=${word//\"/\\\"}
		word=${word//$'\n'/\\n}
		list+="${list:+,}\"$word\""
	done
	echo "$list"
}

# bind SOURCE DESTINATION rw|ro: one entry of mounts
bind() {
	echo ",{\"destination\":\"$2\",\"type\":\"bind\",\"source\":\"$1\",\"options\":[\"rbind\",\"rprivate\",\"$3\"]}"
}

oci_capabilities() {
	local list='"CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_MKNOD",'
	list+='"CAP_NET_BIND_SERVICE","CAP_SETFCAP","CAP_SETGID","CAP_SETPCAP","CAP_SETUID",'
	list+='"CAP_SYS_CHROOT","CAP_AUDIT_WRITE","CAP_SYS_PTRACE"'
	if [[ $1 == 0 ]]; then
		echo "\"bounding\":[$list],\"effective\":[$list],\"permitted\":[$list]"
	else
		echo "\"bounding\":[$list]"
	fi
}

# shellcheck disable=SC2034,SC2154 # the names that `local` gets from the arguments
# make_bundle FOLDER [NAME=VALUE...]: FOLDER/config.json; each NAME is one of the locals below
make_bundle() {
	local folder=$1 root=rootfs args='"helper","signals"' uid=0 gid=0 groups='' cwd=/srv/app
	local env mounts='' process='' namespaces='' resources='' linux='' top='' shm=65536k network='{"type":"network"},'
	local sysfs='"type":"sysfs","source":"sysfs"' sysfs_options='"nosuid","noexec","nodev","ro"' pts_group=',"gid=5"'
	env=$(strings PATH=/bin 'FROM_IMAGE=kept as it is')
	shift
	(($# == 0)) || local "$@"
	mkdir -p "$folder"
	cat >"$folder/config.json" <<-END
		{"ociVersion":"1.0.2","process":{"terminal":false,"user":{"uid":$uid,"gid":$gid$groups},
		"args":[$args],"env":[$env],"cwd":"$cwd","capabilities":{$(oci_capabilities "$uid")}$process},
		"root":{"path":"$root"},"hostname":"$(basename "$folder")-host","mounts":[
		{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},
		{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},
		{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"$pts_group]},
		{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777","size=$shm"]},
		{"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},
		{"destination":"/sys",$sysfs,"options":[$sysfs_options]}$mounts],
		"linux":{"namespaces":[$namespaces$network{"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"}],
		"maskedPaths":["/proc/kcore","/proc/keys","/proc/timer_list","/sys/firmware"],
		"readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys"]
		$resources$linux}$top}
	END
}

# run_source ROOT BUNDLE ID: its first process has its output in ID.log, and no terminal; stdin is an empty pipe,
# because crun gives what stdin is to the task's user, and /dev/null is everybody's
run_source() {
	: | in_view "$oci_runtime" --root "$1" run --detach --bundle "$2" "$3" >"$2.log" 2>&1 ||
		die "$oci_runtime cannot start $3: $(tail -n 3 "$2.log")"
}

# shellcheck disable=SC2016 # a dollar that nobody expands is the point
# web: as an engine makes it; its root is an overlay of DIR/root, which stands for the image
make_web() {
	local dir=$1 bundle=$1/bundles/web env mounts
	mkdir -p "$bundle/rootfs" "$dir"/{upper,work,data,bind}
	echo 'from the host' >"$dir/bind/file"
	chmod 777 "$dir/bind" "$dir/data"
	echo web-host >"$dir/hostname"
	printf '127.0.0.1\tlocalhost\n10.1.2.3\tdb.internal\n' >"$dir/hosts"
	echo 'options ndots:2' >"$dir/resolv.conf"
	mount -t overlay overlay -o "lowerdir=$dir/root,upperdir=$dir/upper,workdir=$dir/work" "$bundle/rootfs"
	env=$(strings PATH=/bin 'FROM_IMAGE=kept as it is' 'QUOTES=it'"'"'s "both"' 'SPACES=  two  ' EMPTY= \
		EQUALS=a=b=c 'UTF8=Grüße 🚀' $'LINES=one\ntwo' 'DOLLAR=$HOME ${X}' VIRTUAL_HOST=web.test \
		HOSTNAME=web-host)
	mounts=$(bind "$dir/data" /data rw)$(bind "$dir/bind" /bind ro)$(bind "$dir/hosts" /etc/hosts rw)
	mounts+=$(bind "$dir/resolv.conf" /etc/resolv.conf rw)$(bind "$dir/hostname" /etc/hostname rw)
	mounts+=',{"destination":"/scratch","type":"tmpfs","source":"tmpfs","options":["size=4m","mode=1777","nosuid"]}'
	make_bundle "$bundle" uid=1234 gid=1235 'groups=,"additionalGids":[1300],"umask":18' "env=$env" \
		"mounts=$mounts" shm=8m \
		'process=,"noNewPrivileges":true,"oomScoreAdj":100,"rlimits":[{"type":"RLIMIT_NOFILE","hard":512,"soft":512},{"type":"RLIMIT_NPROC","hard":4096,"soft":4096}]' \
		'resources=,"resources":{"devices":[{"allow":false,"access":"rwm"}],"memory":{"limit":134217728,"swap":134217728},"cpu":{"shares":512},"pids":{"limit":200}}' \
		"linux=,\"cgroupsPath\":\"$cgroup/web\",\"sysctl\":{\"net.ipv4.ip_unprivileged_port_start\":\"0\"},\"devices\":[{\"path\":\"/dev/extra\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":438,\"uid\":0,\"gid\":0}],\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_ERRNO\"}]}" \
		"top=,\"annotations\":{\"org.example.team\":\"blue\",\"dev.oneoff.task.labelled\":\"helper exit 0 labelled\",\"org.example.odd\":\"a \$b \\\"c\\\"\",\"org.opencontainers.image.stopSignal\":\"15\"},\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"echo ran >>$dir/hooks\"]}]}"
	run_source "$dir/crun" "$bundle" web
}

# make_plain FOLDER ID [NAME=VALUE...]: a source on a root folder that is nothing but a folder
make_plain() {
	local dir=$1 id=$2
	shift 2
	make_bundle "$dir/bundles/$id" "root=$dir/plain" \
		"linux=,\"cgroupsPath\":\"$cgroup/$id\"" "$@"
	run_source "$dir/crun" "$dir/bundles/$id" "$id"
}

# mapped: in a user namespace of its own, in which 0 is 200000 outside
make_mapped() {
	local dir=$1 map='[{"containerID":0,"hostID":200000,"size":65536}]'
	cp -a "$dir/root" "$dir/mapped"
	chown -R 200000:200000 "$dir/mapped"
	make_bundle "$dir/bundles/mapped" "root=$dir/mapped" 'namespaces={"type":"user"},' \
		"linux=,\"cgroupsPath\":\"$cgroup/mapped\",\"uidMappings\":$map,\"gidMappings\":$map"
	run_source "$dir/crun" "$dir/bundles/mapped" mapped
}

# ended web-1 web-2 by-runc: what else there is to be found
make_others() {
	local dir=$1
	make_plain "$dir" ended 'args="helper","exit","3"'
	make_plain "$dir" broken cwd=/srv/broken
	make_plain "$dir" web-1
	make_plain "$dir" web-2
	if command -v runc >/dev/null; then
		make_bundle "$dir/bundles/by-runc" "root=$dir/plain" \
			"linux=,\"cgroupsPath\":\"$cgroup/by-runc\""
		oci_runtime=runc run_source "$dir/runc" "$dir/bundles/by-runc" by-runc
	fi
}

# put_blob IMAGE FILE: moves the file among the blobs; sets `digest` and `size`
put_blob() {
	digest=$(sha256sum "$2" | cut -d' ' -f1)
	size=$(stat -c %s "$2")
	mv "$2" "$1/blobs/sha256/$digest"
}

# add_tag IMAGE TAG CONFIG-MEMBERS: a manifest with the one layer; sets `entry`, its entry in index.json
add_tag() {
	local image=$1 tag=$2 digest size config layer='application/vnd.oci.image.layer.v1.tar+gzip'
	echo "{\"architecture\":\"$(dpkg --print-architecture)\",\"os\":\"linux\",\"config\":{$3},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$diff_id\"]}}" >"$image/new"
	put_blob "$image" "$image/new"
	config="{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$digest\",\"size\":$size}"
	echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":$config,\"layers\":[{\"mediaType\":\"$layer\",\"digest\":\"sha256:$layer_digest\",\"size\":$layer_size}]}" >"$image/new"
	put_blob "$image" "$image/new"
	entry="{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$digest\",\"size\":$size,\"annotations\":{\"org.opencontainers.image.ref.name\":\"$tag\"}}"
}

# The image as a layout: folder and tar. The same image that the other engines import.
make_layout() {
	local dir=$1 image=$1/image digest size diff_id layer_digest layer_size entry entries
	mkdir -p "$image/blobs/sha256"
	diff_id=$(sha256sum "$dir/root.tar" | cut -d' ' -f1)
	gzip -1nc "$dir/root.tar" >"$image/new"
	put_blob "$image" "$image/new"
	layer_digest=$digest layer_size=$size
	add_tag "$image" 1 '"Env":["PATH=/bin","FROM_IMAGE=kept as it is"],"WorkingDir":"/srv/app","Cmd":["helper","signals"],"User":"app","Labels":{"org.example.image":"yes"}'
	entries=$entry
	add_tag "$image" entry '"Env":["PATH=/bin"],"Entrypoint":["/bin/entry"],"Cmd":["helper","signals"],"Volumes":{"/data":{}},"StopSignal":"SIGTERM"'
	entries+=",$entry"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$image/oci-layout"
	echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[$entries]}" >"$image/index.json"
	tar -C "$image" -cf "$dir/image.tar" .
}

# A user without rights, who has a source of his own in his own state root. Where the machine has no user
# "tester" with subordinate ids, DIR/rootless is not written, and the cases skip themselves.
start_rootless() {
	local dir=$1 user=tester home map
	if ! id "$user" >/dev/null 2>&1 || ! grep -q "^$user:" /etc/subuid; then
		return 0
	fi
	need newuidmap setpriv
	home=$(mktemp -d /tmp/oneoff-rootless.XXXXXX)
	chmod 755 "$home"
	echo "$home" >"$dir/rootless"
	cp -a "$dir/root" "$home/plain"
	cp -a "$dir/image" "$home/image"
	make_bundle "$home/bundle" "root=$home/plain" 'pts_group='
	mkdir "$home/runtime"
	chown -R "$user:" "$home"
	map='mountpoint -q /sys/fs/cgroup/unified && mount -t tmpfs none /sys/fs/cgroup/unified; exec "$@"'
	setpriv --reuid "$user" --regid "$user" --init-groups env -i PATH="$PATH" HOME="$home" \
		XDG_RUNTIME_DIR="$home/runtime" unshare --user --map-root-user --map-auto --mount \
		sh -c "$map" sh crun --root "$home/crun" --cgroup-manager=disabled run --detach \
		--bundle "$home/bundle" app </dev/null >"$dir/rootless.log" 2>&1 ||
		die "no source as $user: $(tail -n 3 "$dir/rootless.log")"
}

start_oci() {
	local dir=$1
	need "$oci_runtime" unshare mountpoint sha256sum gzip
	cgroup=/black-box-$(basename "$(dirname "$dir")")
	cgroup=${cgroup//oneoff/test}
	echo "$cgroup" >"$dir/cgroup"
	mkdir -p "$dir"/{bundles,crun,runc,run}
	cp -a "$dir/root" "$dir/plain"
	make_web "$dir"
	make_plain "$dir" bulk
	make_plain "$dir" entry 'args="/bin/entry","helper","signals"' uid=1234 gid=1235 \
		"mounts=$(bind "$dir/data" /data rw)"
	make_mapped "$dir"
	make_others "$dir"
	make_layout "$dir"
	start_rootless "$dir"
}

# delete_all RUNTIME ROOT: every container of that state root, and by that its processes
delete_all() {
	local folder
	for folder in "$2"/*/; do
		[[ ! -d $folder ]] || "$1" --root "$2" delete --force "$(basename "$folder")" || true
	done
}

# remove_cgroup FOLDER: with all below it, and whatever a failed case left running there
remove_cgroup() {
	local pids
	mapfile -t pids < <(find "$1" -name cgroup.procs -exec cat {} +)
	((${#pids[@]} == 0)) || kill -KILL "${pids[@]}" || true
	wait_until 2 find "$1" -depth -type d -exec rmdir {} + || true
}

stop_oci() {
	local dir=$1 home folder
	delete_all crun "$dir/run/state" >/dev/null 2>&1
	delete_all "$oci_runtime" "$dir/crun"
	[[ ! -d $dir/runc ]] || delete_all runc "$dir/runc"
	if [[ -s $dir/rootless ]]; then
		home=$(<"$dir/rootless")
		delete_all crun "$home/crun"
		unmount_all "$home"
		rm -rf "${home:?}"
	fi
	if [[ -s $dir/cgroup ]]; then
		for folder in /sys/fs/cgroup/*"$(<"$dir/cgroup")" /sys/fs/cgroup"$(<"$dir/cgroup")"; do
			[[ ! -d $folder ]] || remove_cgroup "$folder"
		done
	fi
}
