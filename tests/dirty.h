/* dirty.h - nobody clears what aws.h is to fill: in tests that include this, each struct holds junk,
 * undefined for valgrind, before an init or a begin of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef DIRTY_INCLUDED
#define DIRTY_INCLUDED

#include "check.h"

static inline void dirty(void *memory, size_t size)
{
    if (memory)
        memset(memory, 0xa5, size);
#ifdef VALGRIND_MAKE_MEM_UNDEFINED
    (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, memory ? size : 0);
#endif
}

#define DIRTY(p) dirty((p), sizeof *(p))
#define aws_session_init(p, ...) (DIRTY(p), (aws_session_init)((p), __VA_ARGS__))
#define aws_client_init(p, ...) (DIRTY(p), (aws_client_init)((p), __VA_ARGS__))
#define aws_trust_init(p, ...) (DIRTY(p), (aws_trust_init)((p), __VA_ARGS__))
#define aws_identity_init(p, ...) (DIRTY(p), (aws_identity_init)((p), __VA_ARGS__))
#define aws_xml_init(p) (DIRTY(p), (aws_xml_init)(p))
#define aws_xml_begin(p, ...) (DIRTY(p), (aws_xml_begin)((p), __VA_ARGS__))
#define aws_json_begin(p, ...) (DIRTY(p), (aws_json_begin)((p), __VA_ARGS__))
#define aws_keys_fixed_init(p, ...) (DIRTY(p), (aws_keys_fixed_init)((p), __VA_ARGS__))
#define aws_keys_chain_init(p, ...) (DIRTY(p), (aws_keys_chain_init)((p), __VA_ARGS__))
#define aws_keys_imds_init(p, ...) (DIRTY(p), (aws_keys_imds_init)((p), __VA_ARGS__))
#define aws_keys_container_init(p, ...) (DIRTY(p), (aws_keys_container_init)((p), __VA_ARGS__))
#define aws_keys_role_init(p, ...) (DIRTY(p), (aws_keys_role_init)((p), __VA_ARGS__))
#define aws_keys_web_identity_init(p, ...)                                                        \
    (DIRTY(p), (aws_keys_web_identity_init)((p), __VA_ARGS__))
#define aws_keys_iot_init(p, ...) (DIRTY(p), (aws_keys_iot_init)((p), __VA_ARGS__))
#define aws_s3_express_init(p, ...) (DIRTY(p), (aws_s3_express_init)((p), __VA_ARGS__))
#define aws_s3_bucket_init(p, ...) (DIRTY(p), (aws_s3_bucket_init)((p), __VA_ARGS__))
#define aws_s3_object_init(p, ...) (DIRTY(p), (aws_s3_object_init)((p), __VA_ARGS__))
#define aws_s3_objects_begin(p, ...) (DIRTY(p), (aws_s3_objects_begin)((p), __VA_ARGS__))
#define aws_s3_buckets_begin(p, ...) (DIRTY(p), (aws_s3_buckets_begin)((p), __VA_ARGS__))
#define aws_s3_versions_begin(p, ...) (DIRTY(p), (aws_s3_versions_begin)((p), __VA_ARGS__))
#define aws_s3_uploads_begin(p, ...) (DIRTY(p), (aws_s3_uploads_begin)((p), __VA_ARGS__))
#define aws_s3_parts_begin(p, ...) (DIRTY(p), (aws_s3_parts_begin)((p), __VA_ARGS__))
#define aws_s3_upload_begin(p, ...) (DIRTY(p), (aws_s3_upload_begin)((p), __VA_ARGS__))
#define aws_s3_download_begin(p, ...) (DIRTY(p), (aws_s3_download_begin)((p), __VA_ARGS__))
#define aws_s3_upload_resume(p, ...) (DIRTY(p), (aws_s3_upload_resume)((p), __VA_ARGS__))
#define aws_s3_download_resume(p, ...) (DIRTY(p), (aws_s3_download_resume)((p), __VA_ARGS__))
#define aws_s3_copy_resume(p, ...) (DIRTY(p), (aws_s3_copy_resume)((p), __VA_ARGS__))
#define aws_s3_copy_begin(p, ...) (DIRTY(p), (aws_s3_copy_begin)((p), __VA_ARGS__))

#endif /* DIRTY_INCLUDED */
