# SPDX-License-Identifier: Apache-2.0
#
# k8s-manifests/role.yaml as a string in liboneoff.a (pkg/kube/role.h), so that `doctor` prints the file that people
# find in the repository, and no second copy of it. Included by the Makefile behind the rule of liboneoff.a.
ROLE_SOURCE := k8s-manifests/role.yaml
ROLE_BUILD  := $(B)/pkg/kube/role_text

$(ROLE_BUILD).c: $(ROLE_SOURCE) pkg/kube/role.mk
	@mkdir -p $(@D)
	$(Q){ echo '/* Written by pkg/kube/role.mk. */'; echo '#include "pkg/kube/role.h"'; \
		echo 'const char kube_role_text[] = {'; \
		od -An -v -tu1 $< | sed -e 's/ *\([0-9][0-9]*\)/\1,/g'; \
		echo '0};'; } > $@
$(ROLE_BUILD).o: $(ROLE_BUILD).c pkg/kube/role.h $(STAMP)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@
$(B)/liboneoff.a: $(ROLE_BUILD).o
