/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person needs to be allowed in a namespace: the bytes of k8s-manifests/role.yaml, put into the program by the
 * build (role.mk), so that what `oneoff doctor --role` prints and what stands in the repository cannot differ. Three
 * documents: the Role "oneoff" is needed, "oneoff-operate" is for list, logs, attach, wait, stop, gc and --lock,
 * "oneoff-more" gives better answers.
 */
#ifndef ONEOFF_KUBE_ROLE_H
#define ONEOFF_KUBE_ROLE_H

/* YAML, as kubectl apply takes it; ends with a line break, then NUL. ASCII. Lives for ever. */
extern const char kube_role_text[];

#endif
