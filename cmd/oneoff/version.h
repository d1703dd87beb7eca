/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ONEOFF_CMD_VERSION_H
#define ONEOFF_CMD_VERSION_H

/* The one place that states it; docs/CHANGELOG.md says what each one brought. */
#define ONEOFF_VERSION "0.1.0"
/* Of that version, for the manual: a date of the build would make every build another one. */
#define ONEOFF_DATE "2026-11-21"

#endif
