/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unpacker's files share. From the bytes to the disk:
 *
 *	layer_stream.c      source → gzip or zstd undone → counted and hashed
 *	layer_reader.c      → libarchive's tar reader → one header after another
 *	layer_entry.c       → checked and cleaned: struct layer_entry
 *	layer_root.c        finds the parent folder inside the root
 *	layer_touched.c     remembers what this layer touched
 *	layer_write.c       makes the file, folder, link or device
 *	layer_attributes.c  owner, mode, extended attributes, times
 *	layer_whiteout.c    deletes what lower layers have
 *	tree.c              deletes whole trees
 *
 * The root is ours alone while we unpack: nobody else moves anything below it. Everything is relative
 * to descriptors, no name's last component is ever followed. Single thread.
 */
#ifndef ONEOFF_OCI_LAYER_INTERNAL_H
#define ONEOFF_OCI_LAYER_INTERNAL_H

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include "oci/layer.h"
#include "pkg/base/archive_library.h"
#include "pkg/base/sha256.h"
#include "pkg/base/strbuf.h"

/* Caps besides the budget; beyond them an entry is refused. All in bytes. */
#define LAYER_NAME_MAX   ((size_t)255)         /* one component */
#define LAYER_PATH_MAX   ((size_t)4096)        /* a name as it stands in the tar */
#define LAYER_TARGET_MAX ((size_t)4095)        /* a link's target; Linux takes no more */
#define LAYER_XATTRS_MAX ((size_t)64 << 10)    /* names and values of one entry */
#define LAYER_HEADER_MAX ((uint64_t)8 << 20)   /* all header blocks of one entry */
#define LAYER_RATIO_FROM ((uint64_t)100 << 20) /* from here on the ratio counts: */
#define LAYER_RATIO_MAX  1000                  /* uncompressed to compressed */
#define LAYER_LINKS_MAX  40                    /* links followed for one path, as Linux */

/* ---- budget ---- */

/* What this layer took of the image's budget so far. */
struct layer_usage {
	struct layer_budget *budget; /* borrowed */
	uint64_t stream, content;    /* bytes of the stream, and claimed by files' sizes */
	uint64_t charged;            /* the greater of the two, already taken off */
};

/* Takes bytes of the stream and of content, or one name, off the budget; ERR_REFUSED when it does
 * not hold them. */
int layer_charge_bytes(struct layer_usage *usage, uint64_t stream, uint64_t content,
                       struct err *err) _must_check_;
int layer_charge_entry(struct layer_usage *usage, struct err *err) _must_check_;

/* ---- stream ---- */

struct layer_stream;

/* Looks at the first bytes and prepares to undo gzip or zstd. The source stays the caller's.
 * ERR_SYSTEM when libarchive could do it only by starting a program. */
int layer_stream_open(struct byte_source *source, const struct archive_library *library,
                      struct layer_usage *usage, struct layer_stream **ret,
                      struct err *err) _must_check_;
/* The next uncompressed bytes, borrowed until the next call: how many, 0 at the end, -1. */
ssize_t layer_stream_read(struct layer_stream *stream, const void **ret, struct err *err);
/* Reads what is left, of the source too (whose own check comes last), and gives the digest of all
 * uncompressed bytes. */
int layer_stream_finish(struct layer_stream *stream, char hex[SHA256_HEX_SIZE],
                        struct err *err) _must_check_;
/* For _cleanup_: frees the stream, not the source; NULL is fine. */
void layer_stream_free(struct layer_stream **stream);

/* ---- reader ---- */

/* libarchive's tar reader on top of a stream. It has no place for our errors: they wait here. */
struct layer_reader {
	const struct archive_library *library; /* borrowed, as the stream */
	struct layer_stream *stream;
	struct archive *archive; /* owned */
	struct err failure;      /* of the stream, with a kind */
	bool has_entry;
	bool in_header; /* libarchive looks for the next header: it may take only so much */
	uint64_t header_bytes;
};

/* `reader` must not be moved between opening and closing. */
int layer_reader_open(struct layer_reader *reader, struct err *err) _must_check_;
void layer_reader_close(struct layer_reader *reader);
/* The next header, borrowed until the next call: 1, 0 at the end of the tar, -1. */
int layer_reader_next(struct layer_reader *reader, struct archive_entry **ret,
                      struct err *err) _must_check_;
/* The next piece of the entry's content and where it belongs; holes are left out: 1, 0, -1. */
int layer_reader_data(struct layer_reader *reader, const void **ret, size_t *ret_length,
                      int64_t *ret_offset, struct err *err) _must_check_;

/* ---- entry ---- */

/* A path cleaned lexically: no empty component, no ".", no "..", nothing before the root. */
struct layer_path {
	struct strbuf text; /* "usr/bin\0sh": parent and name, each a C string */
	size_t name_at;
};

/* "" for the root; borrowed from the path. */
const char *layer_path_parent(const struct layer_path *path);
/* The last component; "" when the path is the root itself. */
const char *layer_path_name(const struct layer_path *path);
/* ERR_REFUSED for a component or a whole that is too long. */
int layer_path_clean(struct layer_path *path, const char *raw, struct err *err) _must_check_;

enum layer_whiteout {
	LAYER_NO_WHITEOUT,
	LAYER_WHITEOUT, /* ".wh.NAME": NAME of lower layers goes */
	LAYER_OPAQUE,   /* ".wh..wh..opq": everything of lower layers in this folder goes */
	LAYER_IGNORED,  /* what aufs kept for itself */
};

#define LAYER_WHITEOUT_PREFIX ".wh."

/* One checked header. Text is borrowed from libarchive until the next header is read. */
struct layer_entry {
	struct archive_entry *archive_entry;
	struct layer_path path;
	enum layer_whiteout whiteout;
	mode_t type;           /* S_IFREG, …; 0 for a hard link */
	const char *hard_link; /* the other name, as it stands there; NULL: none */
	const char *symlink;   /* the target of a symbolic link */
	mode_t mode;           /* permissions with setuid, setgid and sticky */
	uid_t user;
	gid_t group;
	uint64_t size;            /* of a regular file, holes included */
	struct timespec times[2]; /* access, change of content: as utimensat takes them */
};

/* Fills *entry (its path's memory is used again). ERR_REFUSED for what no layer may hold. */
int layer_entry_read(const struct archive_library *library, struct archive_entry *from,
                     struct layer_entry *entry, struct err *err) _must_check_;

/* ---- root ---- */

/* A folder that this layer touched: it, or something below it, is in the layer. Known by its inode
 * number; folders are never moved, and a number used again belongs to a folder of this layer. */
struct layer_folder {
	ino_t inode;
	struct layer_folder *parent; /* NULL: the root */
	char *name;
	size_t path_length; /* of the path from the root, without links */
	bool has_times;     /* `times` is what it shall have in the end … */
	bool changed;       /* … because it was changed meanwhile */
	bool restores_mode; /* `mode` is set in the end */
	bool default_acl;   /* what is made in it inherits an ACL */
	bool pruned;        /* nothing of lower layers is below it any more */
	mode_t mode;
	struct timespec times[2];
	struct layer_folder *next; /* in the list of all */
	struct layer_folder *work; /* in a list of folders to look into */
};

/* The place of an entry: its parent folder. */
struct layer_place {
	int fd; /* O_PATH */
	struct layer_folder *folder;
};

#define LAYER_PLACE_INIT                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* For _cleanup_: closes. */
void layer_place_close(struct layer_place *place);

struct layer_root {
	int fd; /* borrowed */
	bool privileged;
	struct layer_usage *usage; /* borrowed; missing parents are names, too */
	dev_t device;
	struct layer_folder *top, *all;
	void *folders; /* tsearch: by inode */
	void *names;   /* tsearch: what else this layer wrote, by folder and name */
	struct layer_place last;
	char *last_path; /* what led to `last`; NULL when that may have changed */
};

/* Clears *root first. */
int layer_root_open(struct layer_root *root, const struct layer_options *options,
                    struct layer_usage *usage, struct err *err) _must_check_;
void layer_root_close(struct layer_root *root);

/* Follows a clean path to a folder, links inside the root included, ".." of links as well: 1 with a
 * place of the caller's, 0 when it is not there, -1. With `create` missing folders are made, 0755,
 * and what is in the way is ERR_REFUSED. */
int layer_root_find(struct layer_root *root, const char *path, bool create, struct layer_place *ret,
                    struct err *err) _must_check_;
/* The same; the place is kept for the next call and borrowed until then. */
int layer_root_parent(struct layer_root *root, const char *path, bool create,
                      struct layer_place *ret, struct err *err) _must_check_;

/* The record of a folder by its inode, or NULL. */
struct layer_folder *layer_root_touched(const struct layer_root *root, ino_t inode);
/* Makes a record of `name` in `parent`. A fresh folder was made just now: what the number stood for
 * before is forgotten. NULL: *err says why. */
struct layer_folder *layer_root_touch(struct layer_root *root, struct layer_folder *parent,
                                      const char *name, const struct stat *status, bool fresh,
                                      struct err *err);
/* Opens the folder of a record for reading: 1 with a descriptor of the caller's, 0 when it is gone,
 * -1. */
int layer_root_reopen(struct layer_root *root, const struct layer_folder *folder, int *ret,
                      struct err *err) _must_check_;

/* Remembers, and asks, whether this layer wrote this name (of what is no folder). */
int layer_root_add_name(struct layer_root *root, const struct layer_folder *folder,
                        const char *name, struct err *err) _must_check_;
bool layer_root_has_name(const struct layer_root *root, const struct layer_folder *folder,
                         const char *name);

/* Deletes what is in an entry's way. */
int layer_root_remove(struct layer_root *root, const struct layer_place *place, const char *name,
                      struct err *err) _must_check_;
/* The paths that led somewhere may lead elsewhere now. */
void layer_root_forget(struct layer_root *root);
/* Times and modes of folders, the innermost first. */
int layer_root_finish(struct layer_root *root, struct err *err) _must_check_;

/* ---- writing ---- */

struct layer_unpacker {
	const struct layer_options *options;
	struct archive_library library;
	struct layer_usage usage;
	struct layer_stream *stream;
	struct layer_reader reader;
	struct layer_root root;
	struct layer_entry entry;
	uint64_t devices_left_out, attributes_left_out;
};

/* Makes unpacker->entry, which is no whiteout. */
int layer_write(struct layer_unpacker *unpacker, struct err *err) _must_check_;
/* Does what unpacker->entry, a whiteout, says. */
int layer_whiteout(struct layer_unpacker *unpacker, struct err *err) _must_check_;

/* Owner, mode, attributes and times of an open file that was just made. */
int layer_attributes_file(struct layer_unpacker *unpacker, int fd, bool inherits,
                          struct err *err) _must_check_;
/* The same for an open folder, whose times and, without privileges, mode follow in the end. With
 * `existing` attributes that the entry does not have are taken off. */
int layer_attributes_folder(struct layer_unpacker *unpacker, int fd, struct layer_folder *folder,
                            bool existing, struct err *err) _must_check_;
/* The same for a link or a device, which must not be opened. */
int layer_attributes_name(struct layer_unpacker *unpacker, const struct layer_place *place,
                          const char *name, struct err *err) _must_check_;
/* Whether a folder hands an ACL on to what is made in it. */
bool layer_attributes_inherit(int folder_fd);
/* Takes all attributes off a folder that was made for entries below it. */
void layer_attributes_clear_folder(int parent_fd, const char *name);

/* ---- trees ---- */

/* Opens a folder below another, following no link and, where the kernel can tell, crossing no mount:
 * the descriptor or -1 with errno (ENOTDIR or ELOOP for a link, EXDEV for a mount). */
int tree_open_folder(int folder_fd, const char *name, int flags);

#endif
