/* aws_s3.h - Amazon S3 and what speaks its protocol, on top of aws.h.
 *
 * SPDX-License-Identifier: MIT
 *
 * CLIENT CALLS, one per API action, all 116, named as boto3's: aws_s3_put_object(&client, &args,
 *   &result). An action that isn't called costs no flash.
 *   The arguments are one descriptor struct; a member that the action doesn't have is an error.
 *   The exception in names: CopyObject is aws_s3_copy (another library has aws_s3_copy_object).
 *
 *     aws_s3_args args = {0};
 *     aws_s3_result result;
 *     args.bucket = "telemetry";
 *     args.key = "boot.txt";
 *     args.body = "hello";
 *     args.body_size = 5;
 *     if (aws_s3_put_object(&client, &args, &result) == 0)
 *         puts(result.etag);
 *
 *   Members that few actions have aren't fields; they are given as pairs of an object and a text:
 *
 *     aws_s3_more more[] = {{&aws_s3_m_grant_read, "uri=\"...AllUsers\""},
 *                           {&aws_s3_m_object_ownership, "ObjectWriter"}};
 *     args.more = more;
 *     args.more_count = 2;
 *
 *   Where a body comes from: body (memory), source (callbacks), or stream: then the call returns
 *   once the head is sent, and aws_client_write and aws_client_finish do the rest.
 *   A body that can be read twice goes with its CRC32 in the head (or the checksum that you name,
 *   see args.checksum), so a source is read twice. Over http it is signed by its SHA-256, too; over
 *   https an object's body isn't (UNSIGNED-PAYLOAD, as boto3 does; aws_config.sign_payload does).
 *   A body that can be read only once goes with its CRC32 after it over https, and over http in
 *   signed chunks: see aws_config.dialect.
 *   A downloaded object is compared with the checksum that the server has of it: what doesn't
 *   match ends in AWS_ERR_CHECKSUM, after the last byte.
 *   Where the API has a structure (CORS, lifecycle, ACL ...) the body is its XML, which the XML
 *   writer of aws.h makes, or its JSON (policy). These are made for you:
 *   delete_objects from args.objects, complete_multipart_upload from args.parts, the taggings from
 *   args.tags, create_bucket from args.location_constraint.
 *   Where an answer goes: buffer (memory), sink (callbacks), or stream: then aws_client_read and
 *   aws_client_finish. Without any of them it is read and dropped - but where it is short XML
 *   (copy, create_multipart_upload, get_bucket_versioning, get_object_retention ...), its texts
 *   are then kept: result has the common ones, aws_client_header(&client, "/Status") any by its
 *   path. Listings and long configurations give their XML to buffer, sink or stream; the
 *   resources below read objects, buckets and deletions for you.
 *   select_object_content gives AWS's event stream as it comes: frames, to be read by the caller.
 *   write_get_object_response needs a client of aws_s3_object_lambda_service.
 *   SSE-C: sse_customer_algorithm "AES256", and the key as aws_s3_customer_key writes it.
 *
 * RESOURCES
 *   A bucket is a client and a name, an object a client, a bucket and a key: no hidden state.
 *   aws_s3_objects pages by itself, and other calls of the same client may be made in its loop
 *   (with AWS_SMALL if service.paging is named, see aws.h):
 *
 *     aws_s3_objects it;                              // about 4.5 KB: static on small stacks
 *     aws_s3_summary object;
 *     int r;
 *     aws_s3_objects_begin(&it, &bucket, NULL);
 *     while ((r = aws_s3_objects_next(&it, &object)) > 0)
 *         aws_s3_bucket_delete_key(&bucket, object.key);
 *     if (r < 0)
 *         puts(aws_client_failure_text(bucket.client));   // only 0 means: these were all
 *
 *   boto3's resources are these calls; where a call of the client does it, args name the resource:
 *     create_bucket, delete, wait_until...    aws_s3_bucket_create, _delete, _wait_until_exists ...
 *     buckets, objects                        aws_s3_buckets_begin, aws_s3_objects_begin
 *     object_versions, multipart_uploads      aws_s3_versions_begin, aws_s3_uploads_begin
 *     MultipartUpload.parts                   aws_s3_parts_begin
 *     filter, page_size                       args.prefix ...; max_keys, max_uploads, max_parts
 *     limit                                   leave the loop, aws_s3_objects_end, _entries_end
 *     all().delete()                          aws_s3_batch_objects, aws_s3_batch_versions
 *     delete_objects, put_object              aws_s3_delete_objects, aws_s3_bucket_put
 *     Object get, put, delete, copy_from      aws_s3_object_get, _put, _delete, _copy_from
 *     Object.load, ObjectSummary.load         aws_s3_object_head
 *     restore_object                          aws_s3_restore_object
 *     initiate_multipart_upload               aws_s3_create_multipart_upload
 *     MultipartUpload abort, complete         aws_s3_abort_multipart_upload, aws_s3_complete_...
 *     Part upload, copy_from                  aws_s3_upload_part, aws_s3_upload_part_copy
 *     ObjectVersion get, head, delete         aws_s3_get_object, head_, delete_ with version_id
 *     BucketVersioning enable, suspend        aws_s3_bucket_enable_versioning, _suspend_
 *     its put, load, and those of acl, cors,  aws_s3_put_bucket_acl, aws_s3_get_bucket_acl,
 *     lifecycle, lifecycle_configuration,     aws_s3_delete_bucket_cors ...: the action's own
 *     logging, notification, policy, request  name; Object.Acl: aws_s3_put_object_acl, _get_
 *     payment, tagging, website
 *     upload_file..., download_file..., copy  the managed transfers below
 *
 * MANAGED TRANSFERS
 *   Objects of any size, in parts over any number of clients on one thread. Nothing is buffered
 *   beyond the clients' blocks; each part is retried alone, a failed upload is aborted, a download
 *   that changes meanwhile is an error.
 *
 *     aws_s3_transfer t;                              // about 2.5 KB
 *     aws_s3_transfer_args args = {0};
 *     args.data = firmware;                           // or read_at, source
 *     args.size = sizeof firmware;
 *     args.memory = etags;                            // AWS_S3_PART_MEMORY bytes a part
 *     args.memory_size = sizeof etags;
 *     aws_s3_upload_begin(&t, &object, &args);
 *     if (aws_s3_transfer_step(&t) < 0)               // AWS_AGAIN only if the client doesn't wait
 *         puts(aws_client_failure_text(t.client));
 *
 *   With several clients: aws_s3_worker workers[8], workers[i].client = &clients[i], args.workers,
 *   args.worker_count; then aws_s3_transfer_run(&t, aws_posix_wait), or in a loop of your own
 *   aws_s3_transfer_step and aws_s3_transfer_waiting. The clients are the transfer's until its end.
 *   aws_s3_upload_resume and its kin also save a checkpoint, and go on from it after a power cut.
 */
#ifndef AWS_S3_INCLUDED
#define AWS_S3_INCLUDED

#include "aws.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef AWS_STATIC
AWS_API const aws_service aws_s3_service;
AWS_API const aws_service aws_s3_object_lambda_service; /* for write_get_object_response */
#elif defined(AWS_IMPLEMENTATION) && !defined(__cplusplus)
AWS_API const aws_service aws_s3_service;
AWS_API const aws_service aws_s3_object_lambda_service;
#endif
/* Their aws_service.members and paging; to be named with AWS_SMALL. */
AWS_API void aws_s3_members(aws_client *client, const void *action, const void *args);
AWS_API int aws_s3_paging(void *iterator, int step, void *data);

/* xmlns of the documents that actions take as body. */
#define AWS_S3_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

/* A key to delete. */
typedef struct aws_s3_key {
    const char *key;
    const char *version_id; /* NULL: the current version */
} aws_s3_key;

/* The common members of requests: X(field, wire name). One list makes the fields of aws_s3_args
 * and the table that puts them on the wire, in the order H, A, U, Q, N, B: H header, A header
 * without the "x-amz-" before it, Q query, a text as it is; U a header sent percent-encoded; N a
 * number (0 = not given), B a flag sent as "true".
 * Dates are texts in HTTP's form ("Fri, 02 Jan 2026 03:04:05 GMT"). */
#define AWS_S3_MEMBERS(H, A, U, Q, N, B)                                                          \
    H(cache_control, "cache-control")                                                             \
    H(content_disposition, "content-disposition")                                                 \
    H(content_encoding, "content-encoding")                                                       \
    H(content_language, "content-language")                                                       \
    H(content_type, "content-type")                                                               \
    H(expires, "expires")                                                                         \
    H(if_match, "if-match")                                                                       \
    H(if_none_match, "if-none-match")                                                             \
    H(if_modified_since, "if-modified-since")                                                     \
    H(if_unmodified_since, "if-unmodified-since")                                                 \
    H(range, "range")                                                                             \
    A(acl, "acl")                                                                                 \
    A(storage_class, "storage-class")                                                             \
    A(tagging, "tagging")                                                                         \
    A(website_redirect_location, "website-redirect-location")                                     \
    A(server_side_encryption, "server-side-encryption")                                           \
    A(sse_kms_key_id, "server-side-encryption-aws-kms-key-id")                                    \
    A(sse_customer_algorithm, "server-side-encryption-customer-algorithm")                        \
    A(sse_customer_key, "server-side-encryption-customer-key")                                    \
    A(sse_customer_key_md5, "server-side-encryption-customer-key-md5")                            \
    A(request_payer, "request-payer")                                                             \
    A(expected_bucket_owner, "expected-bucket-owner")                                             \
    A(mfa, "mfa")                                                                                 \
    A(copy_source_if_match, "copy-source-if-match")                                               \
    A(copy_source_if_none_match, "copy-source-if-none-match")                                     \
    A(metadata_directive, "metadata-directive")                                                   \
    A(tagging_directive, "tagging-directive")                                                     \
    A(copy_source_range, "copy-source-range")                                                     \
    U(copy_source, "x-amz-copy-source")                                                           \
    Q(version_id, "versionId")                                                                    \
    Q(response_cache_control, "response-cache-control")                                           \
    Q(response_content_disposition, "response-content-disposition")                               \
    Q(response_content_type, "response-content-type")                                             \
    Q(prefix, "prefix")                                                                           \
    Q(delimiter, "delimiter")                                                                     \
    Q(start_after, "start-after")                                                                 \
    Q(continuation_token, "continuation-token")                                                   \
    Q(encoding_type, "encoding-type")                                                             \
    Q(upload_id, "uploadId")                                                                      \
    Q(key_marker, "key-marker")                                                                   \
    Q(version_id_marker, "version-id-marker")                                                     \
    Q(upload_id_marker, "upload-id-marker")                                                       \
    Q(id, "id")                                                                                   \
    N(part_number, "partNumber")                                                                  \
    N(max_keys, "max-keys")                                                                       \
    N(max_buckets, "max-buckets")                                                                 \
    N(max_parts, "max-parts")                                                                     \
    N(max_uploads, "max-uploads")                                                                 \
    N(part_number_marker, "part-number-marker")                                                   \
    B(fetch_owner, "fetch-owner")

/* The other members, by args.more: H header, Q query. Each is an object, aws_s3_m_<name>, that is
 * in the program only if it is named. Their values are texts: numbers in decimal, flags "true",
 * lists joined by commas, dates in HTTP's form but object_lock_retain_until_date and
 * fwd_object_lock_retain_until_date ("2026-01-02T03:04:05Z"). */
#define AWS_S3_MORE(H, Q)                                                                         \
    H(if_match_initiated_time, "x-amz-if-match-initiated-time")                                   \
    H(checksum_crc32, "x-amz-checksum-crc32")                                                     \
    H(checksum_crc32c, "x-amz-checksum-crc32c")                                                   \
    H(checksum_crc64nvme, "x-amz-checksum-crc64nvme")                                             \
    H(checksum_sha1, "x-amz-checksum-sha1")                                                       \
    H(checksum_sha256, "x-amz-checksum-sha256")                                                   \
    H(checksum_sha512, "x-amz-checksum-sha512")                                                   \
    H(checksum_md5, "x-amz-checksum-md5")                                                         \
    H(checksum_xxhash64, "x-amz-checksum-xxhash64")                                               \
    H(checksum_xxhash3, "x-amz-checksum-xxhash3")                                                 \
    H(checksum_xxhash128, "x-amz-checksum-xxhash128")                                             \
    H(checksum_type, "x-amz-checksum-type")                                                       \
    H(mpu_object_size, "x-amz-mp-object-size")                                                    \
    H(checksum_algorithm, "x-amz-checksum-algorithm")                                             \
    H(copy_source_if_modified_since, "x-amz-copy-source-if-modified-since")                       \
    H(copy_source_if_unmodified_since, "x-amz-copy-source-if-unmodified-since")                   \
    H(grant_full_control, "x-amz-grant-full-control")                                             \
    H(grant_read, "x-amz-grant-read")                                                             \
    H(grant_read_acp, "x-amz-grant-read-acp")                                                     \
    H(grant_write_acp, "x-amz-grant-write-acp")                                                   \
    H(sse_kms_encryption_context, "x-amz-server-side-encryption-context")                         \
    H(bucket_key_enabled, "x-amz-server-side-encryption-bucket-key-enabled")                      \
    H(copy_source_sse_customer_algorithm,                                                         \
      "x-amz-copy-source-server-side-encryption-customer-algorithm")                              \
    H(copy_source_sse_customer_key, "x-amz-copy-source-server-side-encryption-customer-key")      \
    H(copy_source_sse_customer_key_md5,                                                           \
      "x-amz-copy-source-server-side-encryption-customer-key-md5")                                \
    H(object_lock_mode, "x-amz-object-lock-mode")                                                 \
    H(object_lock_retain_until_date, "x-amz-object-lock-retain-until-date")                       \
    H(object_lock_legal_hold_status, "x-amz-object-lock-legal-hold")                              \
    H(expected_source_bucket_owner, "x-amz-source-expected-bucket-owner")                         \
    H(annotation_directive, "x-amz-annotation-directive")                                         \
    H(grant_write, "x-amz-grant-write")                                                           \
    H(object_lock_enabled_for_bucket, "x-amz-bucket-object-lock-enabled")                         \
    H(object_ownership, "x-amz-object-ownership")                                                 \
    H(bucket_namespace, "x-amz-bucket-namespace")                                                 \
    H(content_md5, "content-md5")                                                                 \
    H(sdk_checksum_algorithm, "x-amz-sdk-checksum-algorithm")                                     \
    H(session_mode, "x-amz-create-session-mode")                                                  \
    H(bypass_governance_retention, "x-amz-bypass-governance-retention")                           \
    H(if_match_last_modified_time, "x-amz-if-match-last-modified-time")                           \
    H(if_match_size, "x-amz-if-match-size")                                                       \
    H(object_if_match, "x-amz-object-if-match")                                                   \
    H(checksum_mode, "x-amz-checksum-mode")                                                       \
    H(attributes_max_parts, "x-amz-max-parts")                                                    \
    H(attributes_part_number_marker, "x-amz-part-number-marker")                                  \
    H(object_attributes, "x-amz-object-attributes")                                               \
    H(optional_object_attributes, "x-amz-optional-object-attributes")                             \
    H(transition_default_minimum_object_size, "x-amz-transition-default-minimum-object-size")     \
    H(skip_destination_validation, "x-amz-skip-destination-validation")                           \
    H(confirm_remove_self_bucket_access, "x-amz-confirm-remove-self-bucket-access")               \
    H(token, "x-amz-bucket-object-lock-token")                                                    \
    H(write_offset_bytes, "x-amz-write-offset-bytes")                                             \
    H(rename_source, "x-amz-rename-source")                                                       \
    H(source_if_match, "x-amz-rename-source-if-match")                                            \
    H(source_if_none_match, "x-amz-rename-source-if-none-match")                                  \
    H(source_if_modified_since, "x-amz-rename-source-if-modified-since")                          \
    H(source_if_unmodified_since, "x-amz-rename-source-if-unmodified-since")                      \
    H(client_token, "x-amz-client-token")                                                         \
    H(request_route, "x-amz-request-route")                                                       \
    H(request_token, "x-amz-request-token")                                                       \
    Q(annotation_name, "annotationName")                                                          \
    Q(response_content_encoding, "response-content-encoding")                                     \
    Q(response_content_language, "response-content-language")                                     \
    Q(response_expires, "response-expires")                                                       \
    Q(bucket_region, "bucket-region")                                                             \
    Q(max_directory_buckets, "max-directory-buckets")                                             \
    Q(annotation_prefix, "annotation-prefix")                                                     \
    Q(max_annotation_results, "max-annotation-results")                                           \
    Q(marker, "marker")                                                                           \
    H(fwd_status_code, "x-amz-fwd-status")                                                        \
    H(fwd_error_code, "x-amz-fwd-error-code")                                                     \
    H(fwd_error_message, "x-amz-fwd-error-message")                                               \
    H(fwd_accept_ranges, "x-amz-fwd-header-accept-ranges")                                        \
    H(fwd_cache_control, "x-amz-fwd-header-cache-control")                                        \
    H(fwd_content_disposition, "x-amz-fwd-header-content-disposition")                            \
    H(fwd_content_encoding, "x-amz-fwd-header-content-encoding")                                  \
    H(fwd_content_language, "x-amz-fwd-header-content-language")                                  \
    H(fwd_content_range, "x-amz-fwd-header-content-range")                                        \
    H(fwd_content_type, "x-amz-fwd-header-content-type")                                          \
    H(fwd_checksum_crc32, "x-amz-fwd-header-x-amz-checksum-crc32")                                \
    H(fwd_checksum_crc32c, "x-amz-fwd-header-x-amz-checksum-crc32c")                              \
    H(fwd_checksum_crc64nvme, "x-amz-fwd-header-x-amz-checksum-crc64nvme")                        \
    H(fwd_checksum_sha1, "x-amz-fwd-header-x-amz-checksum-sha1")                                  \
    H(fwd_checksum_sha256, "x-amz-fwd-header-x-amz-checksum-sha256")                              \
    H(fwd_checksum_sha512, "x-amz-fwd-header-x-amz-checksum-sha512")                              \
    H(fwd_checksum_md5, "x-amz-fwd-header-x-amz-checksum-md5")                                    \
    H(fwd_checksum_xxhash64, "x-amz-fwd-header-x-amz-checksum-xxhash64")                          \
    H(fwd_checksum_xxhash3, "x-amz-fwd-header-x-amz-checksum-xxhash3")                            \
    H(fwd_checksum_xxhash128, "x-amz-fwd-header-x-amz-checksum-xxhash128")                        \
    H(fwd_delete_marker, "x-amz-fwd-header-x-amz-delete-marker")                                  \
    H(fwd_etag, "x-amz-fwd-header-etag")                                                          \
    H(fwd_expires, "x-amz-fwd-header-expires")                                                    \
    H(fwd_expiration, "x-amz-fwd-header-x-amz-expiration")                                        \
    H(fwd_last_modified, "x-amz-fwd-header-last-modified")                                        \
    H(fwd_missing_meta, "x-amz-fwd-header-x-amz-missing-meta")                                    \
    H(fwd_object_lock_mode, "x-amz-fwd-header-x-amz-object-lock-mode")                            \
    H(fwd_object_lock_legal_hold_status, "x-amz-fwd-header-x-amz-object-lock-legal-hold")         \
    H(fwd_object_lock_retain_until_date, "x-amz-fwd-header-x-amz-object-lock-retain-until-date")  \
    H(fwd_parts_count, "x-amz-fwd-header-x-amz-mp-parts-count")                                   \
    H(fwd_replication_status, "x-amz-fwd-header-x-amz-replication-status")                        \
    H(fwd_request_charged, "x-amz-fwd-header-x-amz-request-charged")                              \
    H(fwd_restore, "x-amz-fwd-header-x-amz-restore")                                              \
    H(fwd_server_side_encryption, "x-amz-fwd-header-x-amz-server-side-encryption")                \
    H(fwd_sse_customer_algorithm,                                                                 \
      "x-amz-fwd-header-x-amz-server-side-encryption-customer-algorithm")                         \
    H(fwd_sse_kms_key_id, "x-amz-fwd-header-x-amz-server-side-encryption-aws-kms-key-id")         \
    H(fwd_sse_customer_key_md5, "x-amz-fwd-header-x-amz-server-side-encryption-customer-key-md5") \
    H(fwd_storage_class, "x-amz-fwd-header-x-amz-storage-class")                                  \
    H(fwd_tag_count, "x-amz-fwd-header-x-amz-tagging-count")                                      \
    H(fwd_version_id, "x-amz-fwd-header-x-amz-version-id")                                        \
    H(fwd_bucket_key_enabled, "x-amz-fwd-header-x-amz-server-side-encryption-bucket-key-enabled")

/* Every member has a number, from 1 on. */
enum {
    AWS_I_S3_I_NONE,
#define AWS_I_S3_INDEX(name, wire) AWS_I_S3_I_##name,
    AWS_S3_MEMBERS(AWS_I_S3_INDEX, AWS_I_S3_INDEX, AWS_I_S3_INDEX, AWS_I_S3_INDEX, AWS_I_S3_INDEX,
                   AWS_I_S3_INDEX)
    AWS_I_S3_I_COMMON_END,
    AWS_I_S3_I_COMMON_LAST = AWS_I_S3_I_COMMON_END - 1, /* the others go on at once */
    AWS_S3_MORE(AWS_I_S3_INDEX, AWS_I_S3_INDEX)
#undef AWS_I_S3_INDEX
    AWS_I_S3_I_LAST
};

typedef struct aws_s3_member {
    unsigned char index; /* private */
    char          place; /* 'H' or 'Q' */
    const char   *wire;
} aws_s3_member;

#ifdef AWS_STATIC
#define AWS_I_S3_MORE_H(name, wire)                                                               \
    static const char aws_i_s3_w_##name[] = wire;                                                 \
    AWS_API const aws_s3_member aws_s3_m_##name = {AWS_I_S3_I_##name, 'H',                        \
                                                   aws_i_s3_w_##name};
#define AWS_I_S3_MORE_Q(name, wire)                                                               \
    static const char aws_i_s3_w_##name[] = wire;                                                 \
    AWS_API const aws_s3_member aws_s3_m_##name = {AWS_I_S3_I_##name, 'Q',                        \
                                                   aws_i_s3_w_##name};
#else
#define AWS_I_S3_MORE_H(name, wire) AWS_API const aws_s3_member aws_s3_m_##name;
#define AWS_I_S3_MORE_Q(name, wire) AWS_API const aws_s3_member aws_s3_m_##name;
#endif
AWS_S3_MORE(AWS_I_S3_MORE_H, AWS_I_S3_MORE_Q)
#undef AWS_I_S3_MORE_H
#undef AWS_I_S3_MORE_Q

/* One of the other members and its value; NULL: not given. */
typedef struct aws_s3_more {
    const aws_s3_member *member;
    const char          *value;
} aws_s3_more;

/* A part that was uploaded. */
typedef struct aws_s3_part {
    unsigned    number;   /* 1 to 10,000 */
    const char *etag;     /* as upload_part's result gave it */
    const char *checksum; /* NULL, or its checksum in base64, and the algorithm in the spelling */
    const char *algorithm; /* of the API: "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256" ... */
} aws_s3_part;

typedef struct aws_s3_args {
    const char *bucket;
    const char *key; /* any bytes but NUL, 1 to 1,024 of them */
    /* body of the request: at most 5 GiB. Where the API has a structure, its XML (or JSON) */
    const void       *body;
    const aws_source *source;
    uint64_t          body_size; /* S3 wants to know it beforehand */
    const aws_digest *checksum; /* &aws_crc32c ...: of the body. NULL: CRC32 where the action may
                                 * have one (see aws_config.request_checksum_calculation), but
                                 * none if a member or header x-amz-checksum-... is given */
    /* answer */
    void           *buffer;
    size_t          buffer_size;
    const aws_sink *sink;
    int             stream; /* body (of actions that have one) or answer piece by piece */
    /* ms for the whole call, 0: aws_config.call_timeout */
    uint32_t timeout;
    /* called as body bytes move; total 0: not known */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *progress_context;
    /* the members that have no field here */
    const aws_s3_more *more;
    /* user metadata: sent as x-amz-meta-<name>; ASCII */
    const aws_pair *metadata;
    /* any other request header, signed; its name in lower case */
    const aws_pair *headers;
    size_t          more_count, metadata_count, headers_count; /* and, behind them, the members */
#define AWS_I_S3_TEXT(field, wire) const char *field;
#define AWS_I_S3_NUMBER(field, wire) unsigned field;
    AWS_S3_MEMBERS(AWS_I_S3_TEXT, AWS_I_S3_TEXT, AWS_I_S3_TEXT, AWS_I_S3_TEXT, AWS_I_S3_NUMBER,
                   AWS_I_S3_NUMBER)
#undef AWS_I_S3_TEXT
#undef AWS_I_S3_NUMBER
    /* delete_objects: at most 1,000; quiet: the answer lists failures only */
    const aws_s3_key *objects;
    size_t            object_count;
    int               quiet;
    /* complete_multipart_upload: 1 to 10,000, numbers ascending; or give the XML as body */
    const aws_s3_part *parts;
    size_t             part_count;
    /* put_object_tagging, put_bucket_tagging: names and values; or give the XML as body */
    const aws_pair *tags;
    size_t          tag_count;
    /* create_bucket: the LocationConstraint, NULL none (us-east-1); or give the XML as body */
    const char *location_constraint;
    /* the iterators: memory for the rest of a page when another call interrupts; optional */
    void  *page;
    size_t page_size;
} aws_s3_args;

/* What an answer says. Texts are borrowed until the client's next call, NULL if absent; any
 * other header is at aws_client_header, user metadata as "x-amz-meta-<name>". */
typedef struct aws_s3_result {
    int         status;        /* HTTP status */
    uint64_t    size;          /* Content-Length, or bytes stored of a chunked answer */
    int64_t     last_modified; /* Unix seconds, -1 absent */
    const char *etag;          /* with its quotes */
    const char *version_id;
    const char *content_type;
    const char *upload_id;     /* create_multipart_upload: copy it, the parts need it */
    const char *location;      /* get_bucket_location: the region, "us-east-1" for none */
    unsigned    deleted;       /* delete_objects: keys deleted (0 if quiet) */
    unsigned    failed;        /* and keys not deleted; the failure names the first */
} aws_s3_result;

/* The actions: X(function, AWS's name, method, query, flags, members, body, run). query: names and
 * values one after the other, each ended by NUL; "name" alone has no value. members: in
 * parentheses, M may be given, R must be. body: makes or checks the body, NULL: neither. */
#define AWS_S3_OPERATIONS(X)                                                                      \
    X(abort_multipart_upload, AbortMultipartUpload, "DELETE", "", AWS_I_S3_OBJECT,                \
      (AWS_I_S3_R(upload_id) AWS_I_S3_M(if_match_initiated_time) AWS_I_S3_PAYER),                 \
      aws_i_s3_required, aws_i_s3_send)                                                           \
    X(complete_multipart_upload, CompleteMultipartUpload, "POST", "",                             \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_COLLECT,                                         \
      (AWS_I_S3_R(upload_id) AWS_I_S3_M(checksum_type) AWS_I_S3_M(mpu_object_size)                \
       AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match) AWS_I_S3_SUMS AWS_I_S3_SSEC                 \
       AWS_I_S3_PAYER), aws_i_s3_parts_body, aws_i_s3_collect)                                    \
    X(copy, CopyObject, "PUT", "", AWS_I_S3_OBJECT | AWS_I_S3_COLLECT,                            \
      (AWS_I_S3_R(copy_source) AWS_I_S3_M(checksum_algorithm) AWS_I_S3_M(if_match)                \
       AWS_I_S3_M(if_none_match) AWS_I_S3_M(metadata_directive) AWS_I_S3_M(tagging_directive)     \
       AWS_I_S3_M(annotation_directive) AWS_I_S3_STORED AWS_I_S3_SOURCE),                         \
      aws_i_s3_required, aws_i_s3_collect)                                                        \
    X(create_bucket, CreateBucket, "PUT", "", AWS_I_S3_BUCKET | AWS_I_S3_BODY,                    \
      (AWS_I_S3_M(acl) AWS_I_S3_M(grant_write) AWS_I_S3_M(object_lock_enabled_for_bucket)         \
       AWS_I_S3_M(object_ownership) AWS_I_S3_M(bucket_namespace) AWS_I_S3_GRANTS),                \
      aws_i_s3_location_body, aws_i_s3_send)                                                      \
    X(create_bucket_metadata_configuration, CreateBucketMetadataConfiguration,                    \
      "POST", "metadataConfiguration", AWS_I_S3_CONFIGURE,                                        \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(create_bucket_metadata_table_configuration, CreateBucketMetadataTableConfiguration,         \
      "POST", "metadataTable", AWS_I_S3_CONFIGURE,                                                \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(create_multipart_upload, CreateMultipartUpload, "POST", "uploads",                          \
      AWS_I_S3_OBJECT | AWS_I_S3_COLLECT,                                                         \
      (AWS_I_S3_M(checksum_algorithm) AWS_I_S3_M(checksum_type) AWS_I_S3_STORED),                 \
      NULL, aws_i_s3_collect)                                                                     \
    X(create_session, CreateSession, "GET", "session", AWS_I_S3_BUCKET | AWS_I_S3_COLLECT,        \
      (AWS_I_S3_M(session_mode) AWS_I_S3_SSE), NULL, aws_i_s3_collect)                            \
    X(delete_bucket, DeleteBucket, "DELETE", "", AWS_I_S3_BUCKET,                                 \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_analytics_configuration, DeleteBucketAnalyticsConfiguration,                  \
      "DELETE", "analytics", AWS_I_S3_BUCKET,                                                     \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_send)                          \
    X(delete_bucket_cors, DeleteBucketCors, "DELETE", "cors", AWS_I_S3_BUCKET,                    \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_encryption, DeleteBucketEncryption, "DELETE", "encryption", AWS_I_S3_BUCKET,  \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_intelligent_tiering_configuration,                                            \
      DeleteBucketIntelligentTieringConfiguration,                                                \
      "DELETE", "intelligent-tiering", AWS_I_S3_BUCKET,                                           \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_send)                          \
    X(delete_bucket_inventory_configuration, DeleteBucketInventoryConfiguration,                  \
      "DELETE", "inventory", AWS_I_S3_BUCKET,                                                     \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_send)                          \
    X(delete_bucket_lifecycle, DeleteBucketLifecycle, "DELETE", "lifecycle", AWS_I_S3_BUCKET,     \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_metadata_configuration, DeleteBucketMetadataConfiguration,                    \
      "DELETE", "metadataConfiguration", AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL, aws_i_s3_send)  \
    X(delete_bucket_metadata_table_configuration, DeleteBucketMetadataTableConfiguration,         \
      "DELETE", "metadataTable", AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL, aws_i_s3_send)          \
    X(delete_bucket_metrics_configuration, DeleteBucketMetricsConfiguration, "DELETE", "metrics", \
      AWS_I_S3_BUCKET, (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_send)         \
    X(delete_bucket_ownership_controls, DeleteBucketOwnershipControls,                            \
      "DELETE", "ownershipControls", AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL, aws_i_s3_send)      \
    X(delete_bucket_policy, DeleteBucketPolicy, "DELETE", "policy", AWS_I_S3_BUCKET,              \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_replication, DeleteBucketReplication, "DELETE", "replication",                \
      AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                     \
    X(delete_bucket_tagging, DeleteBucketTagging, "DELETE", "tagging", AWS_I_S3_BUCKET,           \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_bucket_website, DeleteBucketWebsite, "DELETE", "website", AWS_I_S3_BUCKET,           \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(delete_object, DeleteObject, "DELETE", "", AWS_I_S3_OBJECT,                                 \
      (AWS_I_S3_M(mfa) AWS_I_S3_M(version_id) AWS_I_S3_M(bypass_governance_retention)             \
       AWS_I_S3_M(if_match) AWS_I_S3_M(if_match_last_modified_time) AWS_I_S3_M(if_match_size)     \
       AWS_I_S3_PAYER), NULL, aws_i_s3_send)                                                      \
    X(delete_object_annotation, DeleteObjectAnnotation, "DELETE", "annotation", AWS_I_S3_OBJECT,  \
      (AWS_I_S3_R(annotation_name) AWS_I_S3_M(version_id) AWS_I_S3_M(object_if_match)             \
       AWS_I_S3_PAYER), aws_i_s3_required, aws_i_s3_send)                                         \
    X(delete_object_tagging, DeleteObjectTagging, "DELETE", "tagging", AWS_I_S3_OBJECT,           \
      (AWS_I_S3_M(version_id) AWS_I_S3_OWNER), NULL, aws_i_s3_send)                               \
    X(delete_objects, DeleteObjects, "POST", "delete",                                            \
      AWS_I_S3_BUCKET | AWS_I_S3_CHECKSUM_REQUIRED | AWS_I_S3_RESULT,                             \
      (AWS_I_S3_M(mfa) AWS_I_S3_M(bypass_governance_retention)                                    \
       AWS_I_S3_M(sdk_checksum_algorithm) AWS_I_S3_PAYER),                                        \
      aws_i_s3_delete_body, aws_i_s3_run_delete)                                                  \
    X(delete_public_access_block, DeletePublicAccessBlock, "DELETE", "publicAccessBlock",         \
      AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                     \
    X(get_bucket_abac, GetBucketAbac, "GET", "abac", AWS_I_S3_BUCKET | AWS_I_S3_COLLECT,          \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)                                                   \
    X(get_bucket_accelerate_configuration, GetBucketAccelerateConfiguration, "GET", "accelerate", \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_PAYER), NULL, aws_i_s3_collect)               \
    X(get_bucket_acl, GetBucketAcl, "GET", "acl", AWS_I_S3_BUCKET | AWS_I_S3_XML,                 \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_analytics_configuration, GetBucketAnalyticsConfiguration, "GET", "analytics",    \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_read)                          \
    X(get_bucket_cors, GetBucketCors, "GET", "cors", AWS_I_S3_BUCKET | AWS_I_S3_XML,              \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_encryption, GetBucketEncryption, "GET", "encryption",                            \
      AWS_I_S3_BUCKET | AWS_I_S3_XML, (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                      \
    X(get_bucket_intelligent_tiering_configuration, GetBucketIntelligentTieringConfiguration,     \
      "GET", "intelligent-tiering", AWS_I_S3_BUCKET | AWS_I_S3_XML,                               \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_read)                          \
    X(get_bucket_inventory_configuration, GetBucketInventoryConfiguration, "GET", "inventory",    \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_read)                          \
    X(get_bucket_lifecycle, GetBucketLifecycle, "GET", "lifecycle",                               \
      AWS_I_S3_BUCKET | AWS_I_S3_XML, (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                      \
    X(get_bucket_lifecycle_configuration, GetBucketLifecycleConfiguration, "GET", "lifecycle",    \
      AWS_I_S3_BUCKET | AWS_I_S3_XML, (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                      \
    X(get_bucket_location, GetBucketLocation, "GET", "location",                                  \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT | AWS_I_S3_PATH_STYLE,                                   \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)                                                   \
    X(get_bucket_logging, GetBucketLogging, "GET", "logging", AWS_I_S3_BUCKET | AWS_I_S3_XML,     \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_metadata_configuration, GetBucketMetadataConfiguration,                          \
      "GET", "metadataConfiguration", AWS_I_S3_BUCKET | AWS_I_S3_XML,                             \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_metadata_table_configuration, GetBucketMetadataTableConfiguration,               \
      "GET", "metadataTable", AWS_I_S3_BUCKET | AWS_I_S3_XML,                                     \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_metrics_configuration, GetBucketMetricsConfiguration, "GET", "metrics",          \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_required, aws_i_s3_read)                          \
    X(get_bucket_notification, GetBucketNotification, "GET", "notification",                      \
      AWS_I_S3_BUCKET | AWS_I_S3_XML, (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                      \
    X(get_bucket_notification_configuration, GetBucketNotificationConfiguration,                  \
      "GET", "notification", AWS_I_S3_BUCKET | AWS_I_S3_XML,                                      \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_ownership_controls, GetBucketOwnershipControls, "GET", "ownershipControls",      \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(get_bucket_policy, GetBucketPolicy, "GET", "policy", AWS_I_S3_BUCKET,                       \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_send)                                                      \
    X(get_bucket_policy_status, GetBucketPolicyStatus, "GET", "policyStatus",                     \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(get_bucket_replication, GetBucketReplication, "GET", "replication",                         \
      AWS_I_S3_BUCKET | AWS_I_S3_XML, (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                      \
    X(get_bucket_request_payment, GetBucketRequestPayment, "GET", "requestPayment",               \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(get_bucket_tagging, GetBucketTagging, "GET", "tagging", AWS_I_S3_BUCKET | AWS_I_S3_XML,     \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_bucket_versioning, GetBucketVersioning, "GET", "versioning",                            \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(get_bucket_website, GetBucketWebsite, "GET", "website", AWS_I_S3_BUCKET | AWS_I_S3_XML,     \
      (AWS_I_S3_OWNER), NULL, aws_i_s3_read)                                                      \
    X(get_object, GetObject, "GET", "",                                                           \
      AWS_I_S3_OBJECT | AWS_I_S3_VERIFY | AWS_I_S3_RANGES, (AWS_I_S3_READ), NULL,                 \
      aws_i_s3_send)                                                                              \
    X(get_object_acl, GetObjectAcl, "GET", "acl", AWS_I_S3_OBJECT | AWS_I_S3_XML,                 \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER), NULL, aws_i_s3_read)                               \
    X(get_object_annotation, GetObjectAnnotation, "GET", "annotation",                            \
      AWS_I_S3_OBJECT | AWS_I_S3_VERIFY,                                                          \
      (AWS_I_S3_R(annotation_name) AWS_I_S3_M(version_id) AWS_I_S3_M(checksum_mode)               \
       AWS_I_S3_PAYER), aws_i_s3_required, aws_i_s3_send)                                         \
    X(get_object_attributes, GetObjectAttributes, "GET", "attributes",                            \
      AWS_I_S3_OBJECT | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_R(object_attributes) AWS_I_S3_M(version_id) AWS_I_S3_M(attributes_max_parts)      \
       AWS_I_S3_M(attributes_part_number_marker) AWS_I_S3_SSEC AWS_I_S3_PAYER),                   \
      aws_i_s3_required, aws_i_s3_read)                                                           \
    X(get_object_legal_hold, GetObjectLegalHold, "GET", "legal-hold",                             \
      AWS_I_S3_OBJECT | AWS_I_S3_COLLECT,                                                         \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER), NULL, aws_i_s3_collect)                            \
    X(get_object_lock_configuration, GetObjectLockConfiguration, "GET", "object-lock",            \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(get_object_retention, GetObjectRetention, "GET", "retention",                               \
      AWS_I_S3_OBJECT | AWS_I_S3_COLLECT,                                                         \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER), NULL, aws_i_s3_collect)                            \
    X(get_object_tagging, GetObjectTagging, "GET", "tagging", AWS_I_S3_OBJECT | AWS_I_S3_XML,     \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER), NULL, aws_i_s3_read)                               \
    X(get_object_torrent, GetObjectTorrent, "GET", "torrent", AWS_I_S3_OBJECT,                    \
      (AWS_I_S3_PAYER), NULL, aws_i_s3_send)                                                      \
    X(get_public_access_block, GetPublicAccessBlock, "GET", "publicAccessBlock",                  \
      AWS_I_S3_BUCKET | AWS_I_S3_COLLECT, (AWS_I_S3_OWNER), NULL, aws_i_s3_collect)               \
    X(head_bucket, HeadBucket, "HEAD", "", AWS_I_S3_BUCKET, (AWS_I_S3_OWNER), NULL,               \
      aws_i_s3_send)                                                                              \
    X(head_object, HeadObject, "HEAD", "", AWS_I_S3_OBJECT, (AWS_I_S3_READ), NULL, aws_i_s3_send) \
    X(list_bucket_analytics_configurations, ListBucketAnalyticsConfigurations,                    \
      "GET", "analytics", AWS_I_S3_BUCKET | AWS_I_S3_XML,                                         \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_OWNER), NULL, aws_i_s3_read)                       \
    X(list_bucket_intelligent_tiering_configurations,                                             \
      ListBucketIntelligentTieringConfigurations,                                                 \
      "GET", "intelligent-tiering", AWS_I_S3_BUCKET | AWS_I_S3_XML,                               \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_OWNER), NULL, aws_i_s3_read)                       \
    X(list_bucket_inventory_configurations, ListBucketInventoryConfigurations,                    \
      "GET", "inventory", AWS_I_S3_BUCKET | AWS_I_S3_XML,                                         \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_OWNER), NULL, aws_i_s3_read)                       \
    X(list_bucket_metrics_configurations, ListBucketMetricsConfigurations, "GET", "metrics",      \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_OWNER), NULL, aws_i_s3_read)                       \
    X(list_buckets, ListBuckets, "GET", "", AWS_I_S3_XML,                                         \
      (AWS_I_S3_M(max_buckets) AWS_I_S3_M(continuation_token) AWS_I_S3_M(prefix)                  \
       AWS_I_S3_M(bucket_region)), NULL, aws_i_s3_read)                                           \
    X(list_directory_buckets, ListDirectoryBuckets, "GET", "", AWS_I_S3_XML,                      \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_M(max_directory_buckets)), NULL, aws_i_s3_read)    \
    X(list_multipart_uploads, ListMultipartUploads, "GET", "uploads",                             \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_M(delimiter) AWS_I_S3_M(encoding_type) AWS_I_S3_M(key_marker)                     \
       AWS_I_S3_M(max_uploads) AWS_I_S3_M(prefix) AWS_I_S3_M(upload_id_marker) AWS_I_S3_PAYER),   \
      NULL, aws_i_s3_read)                                                                        \
    X(list_object_annotations, ListObjectAnnotations, "GET", "annotation",                        \
      AWS_I_S3_OBJECT | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_M(annotation_prefix) AWS_I_S3_M(continuation_token)                               \
       AWS_I_S3_M(max_annotation_results) AWS_I_S3_M(version_id) AWS_I_S3_PAYER),                 \
      NULL, aws_i_s3_read)                                                                        \
    X(list_object_versions, ListObjectVersions, "GET", "versions",                                \
      AWS_I_S3_BUCKET | AWS_I_S3_XML,                                                             \
      (AWS_I_S3_M(key_marker) AWS_I_S3_M(version_id_marker) AWS_I_S3_LISTED), NULL,               \
      aws_i_s3_read)                                                                              \
    X(list_objects, ListObjects, "GET", "", AWS_I_S3_BUCKET | AWS_I_S3_XML,                       \
      (AWS_I_S3_M(marker) AWS_I_S3_LISTED), NULL, aws_i_s3_read)                                  \
    X(list_objects_v2, ListObjectsV2, "GET", "list-type\0" "2", AWS_I_S3_BUCKET | AWS_I_S3_XML,   \
      (AWS_I_S3_M(continuation_token) AWS_I_S3_M(fetch_owner) AWS_I_S3_M(start_after)             \
       AWS_I_S3_LISTED), NULL, aws_i_s3_read)                                                     \
    X(list_parts, ListParts, "GET", "", AWS_I_S3_OBJECT | AWS_I_S3_XML,                           \
      (AWS_I_S3_R(upload_id) AWS_I_S3_M(max_parts) AWS_I_S3_M(part_number_marker) AWS_I_S3_SSEC   \
       AWS_I_S3_PAYER), aws_i_s3_required, aws_i_s3_read)                                         \
    X(put_bucket_abac, PutBucketAbac, "PUT", "abac",                                              \
      AWS_I_S3_BUCKET | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM,                                        \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_accelerate_configuration, PutBucketAccelerateConfiguration, "PUT", "accelerate", \
      AWS_I_S3_BUCKET | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM,                                        \
      (AWS_I_S3_M(sdk_checksum_algorithm) AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send) \
    X(put_bucket_acl, PutBucketAcl, "PUT", "acl", AWS_I_S3_CONFIGURE,                             \
      (AWS_I_S3_M(acl) AWS_I_S3_M(grant_write) AWS_I_S3_SENT AWS_I_S3_OWNER AWS_I_S3_GRANTS),     \
      aws_i_s3_optional_body, aws_i_s3_send)                                                      \
    X(put_bucket_analytics_configuration, PutBucketAnalyticsConfiguration, "PUT", "analytics",    \
      AWS_I_S3_BUCKET | AWS_I_S3_BODY,                                                            \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                     \
    X(put_bucket_cors, PutBucketCors, "PUT", "cors", AWS_I_S3_CONFIGURE,                          \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_encryption, PutBucketEncryption, "PUT", "encryption", AWS_I_S3_CONFIGURE,        \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_intelligent_tiering_configuration, PutBucketIntelligentTieringConfiguration,     \
      "PUT", "intelligent-tiering", AWS_I_S3_BUCKET | AWS_I_S3_BODY,                              \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                     \
    X(put_bucket_inventory_configuration, PutBucketInventoryConfiguration, "PUT", "inventory",    \
      AWS_I_S3_BUCKET | AWS_I_S3_BODY,                                                            \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                     \
    X(put_bucket_lifecycle, PutBucketLifecycle, "PUT", "lifecycle", AWS_I_S3_CONFIGURE,           \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_lifecycle_configuration, PutBucketLifecycleConfiguration, "PUT", "lifecycle",    \
      AWS_I_S3_CONFIGURE,                                                                         \
      (AWS_I_S3_M(sdk_checksum_algorithm) AWS_I_S3_M(transition_default_minimum_object_size)      \
       AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                                    \
    X(put_bucket_logging, PutBucketLogging, "PUT", "logging", AWS_I_S3_CONFIGURE,                 \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_metrics_configuration, PutBucketMetricsConfiguration, "PUT", "metrics",          \
      AWS_I_S3_BUCKET | AWS_I_S3_BODY,                                                            \
      (AWS_I_S3_R(id) AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                     \
    X(put_bucket_notification, PutBucketNotification, "PUT", "notification", AWS_I_S3_CONFIGURE,  \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_bucket_notification_configuration, PutBucketNotificationConfiguration,                  \
      "PUT", "notification", AWS_I_S3_BUCKET | AWS_I_S3_BODY,                                     \
      (AWS_I_S3_M(skip_destination_validation) AWS_I_S3_OWNER),                                   \
      aws_i_s3_document_body, aws_i_s3_send)                                                      \
    X(put_bucket_ownership_controls, PutBucketOwnershipControls, "PUT", "ownershipControls",      \
      AWS_I_S3_CONFIGURE, (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)  \
    X(put_bucket_policy, PutBucketPolicy, "PUT", "policy", AWS_I_S3_CONFIGURE,                    \
      (AWS_I_S3_M(confirm_remove_self_bucket_access) AWS_I_S3_SENT AWS_I_S3_OWNER),               \
      aws_i_s3_document_body, aws_i_s3_send)                                                      \
    X(put_bucket_replication, PutBucketReplication, "PUT", "replication", AWS_I_S3_CONFIGURE,     \
      (AWS_I_S3_M(token) AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)    \
    X(put_bucket_request_payment, PutBucketRequestPayment, "PUT", "requestPayment",               \
      AWS_I_S3_CONFIGURE, (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)  \
    X(put_bucket_tagging, PutBucketTagging, "PUT", "tagging", AWS_I_S3_CONFIGURE,                 \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_tags_body, aws_i_s3_send)                          \
    X(put_bucket_versioning, PutBucketVersioning, "PUT", "versioning", AWS_I_S3_CONFIGURE,        \
      (AWS_I_S3_M(mfa) AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)      \
    X(put_bucket_website, PutBucketWebsite, "PUT", "website", AWS_I_S3_CONFIGURE,                 \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(put_object, PutObject, "PUT", "", AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM,      \
      (AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match) AWS_I_S3_M(write_offset_bytes)              \
       AWS_I_S3_STORED AWS_I_S3_SUMS AWS_I_S3_SENT), NULL, aws_i_s3_send)                         \
    X(put_object_acl, PutObjectAcl, "PUT", "acl",                                                 \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED,                               \
      (AWS_I_S3_M(acl) AWS_I_S3_M(grant_write) AWS_I_S3_M(version_id) AWS_I_S3_PAYER              \
       AWS_I_S3_SENT AWS_I_S3_GRANTS), aws_i_s3_optional_body, aws_i_s3_send)                     \
    X(put_object_annotation, PutObjectAnnotation, "PUT", "annotation",                            \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_COLLECT | AWS_I_S3_CHECKSUM,                     \
      (AWS_I_S3_R(annotation_name) AWS_I_S3_M(version_id) AWS_I_S3_M(object_if_match)             \
       AWS_I_S3_SUMS AWS_I_S3_PAYER AWS_I_S3_SENT), aws_i_s3_required, aws_i_s3_collect)          \
    X(put_object_legal_hold, PutObjectLegalHold, "PUT", "legal-hold",                             \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED,                               \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER AWS_I_S3_SENT),                                      \
      aws_i_s3_document_body, aws_i_s3_send)                                                      \
    X(put_object_lock_configuration, PutObjectLockConfiguration, "PUT", "object-lock",            \
      AWS_I_S3_CONFIGURE,                                                                         \
      (AWS_I_S3_M(token) AWS_I_S3_PAYER AWS_I_S3_SENT), aws_i_s3_document_body, aws_i_s3_send)    \
    X(put_object_retention, PutObjectRetention, "PUT", "retention",                               \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED,                               \
      (AWS_I_S3_M(version_id) AWS_I_S3_M(bypass_governance_retention) AWS_I_S3_PAYER              \
       AWS_I_S3_SENT), aws_i_s3_document_body, aws_i_s3_send)                                     \
    X(put_object_tagging, PutObjectTagging, "PUT", "tagging",                                     \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED,                               \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER AWS_I_S3_SENT), aws_i_s3_tags_body, aws_i_s3_send)   \
    X(put_public_access_block, PutPublicAccessBlock, "PUT", "publicAccessBlock",                  \
      AWS_I_S3_CONFIGURE, (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)  \
    X(rename_object, RenameObject, "PUT", "renameObject", AWS_I_S3_OBJECT,                        \
      (AWS_I_S3_R(rename_source) AWS_I_S3_M(source_if_match) AWS_I_S3_M(source_if_none_match)     \
       AWS_I_S3_M(source_if_modified_since) AWS_I_S3_M(source_if_unmodified_since)                \
       AWS_I_S3_M(client_token) AWS_I_S3_IF), aws_i_s3_required, aws_i_s3_send)                   \
    X(restore_object, RestoreObject, "POST", "restore",                                           \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM,                                        \
      (AWS_I_S3_M(version_id) AWS_I_S3_M(sdk_checksum_algorithm) AWS_I_S3_PAYER),                 \
      aws_i_s3_optional_body, aws_i_s3_send)                                                      \
    X(select_object_content, SelectObjectContent, "POST", "select\0\0" "select-type\0" "2",       \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_ANSWER,                                          \
      (AWS_I_S3_SSEC AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(update_bucket_metadata_annotation_table_configuration,                                      \
      UpdateBucketMetadataAnnotationTableConfiguration,                                           \
      "PUT", "metadataAnnotationTable", AWS_I_S3_CONFIGURE,                                       \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(update_bucket_metadata_inventory_table_configuration,                                       \
      UpdateBucketMetadataInventoryTableConfiguration,                                            \
      "PUT", "metadataInventoryTable", AWS_I_S3_CONFIGURE,                                        \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(update_bucket_metadata_journal_table_configuration,                                         \
      UpdateBucketMetadataJournalTableConfiguration,                                              \
      "PUT", "metadataJournalTable", AWS_I_S3_CONFIGURE,                                          \
      (AWS_I_S3_SENT AWS_I_S3_OWNER), aws_i_s3_document_body, aws_i_s3_send)                      \
    X(update_object_encryption, UpdateObjectEncryption, "PUT", "encryption",                      \
      AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED,                               \
      (AWS_I_S3_M(version_id) AWS_I_S3_PAYER AWS_I_S3_SENT),                                      \
      aws_i_s3_document_body, aws_i_s3_send)                                                      \
    X(upload_part, UploadPart, "PUT", "", AWS_I_S3_OBJECT | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM,    \
      (AWS_I_S3_R(part_number) AWS_I_S3_R(upload_id) AWS_I_S3_SUMS AWS_I_S3_SSEC AWS_I_S3_PAYER   \
       AWS_I_S3_SENT), aws_i_s3_required, aws_i_s3_send)                                          \
    X(upload_part_copy, UploadPartCopy, "PUT", "", AWS_I_S3_OBJECT | AWS_I_S3_COLLECT,            \
      (AWS_I_S3_R(copy_source) AWS_I_S3_R(part_number) AWS_I_S3_R(upload_id)                      \
       AWS_I_S3_M(copy_source_range) AWS_I_S3_SOURCE AWS_I_S3_SSEC AWS_I_S3_PAYER),               \
      aws_i_s3_required, aws_i_s3_collect)                                                        \
    X(write_get_object_response, WriteGetObjectResponse, "POST", "", AWS_I_S3_BODY,               \
      (AWS_I_S3_R(request_route) AWS_I_S3_R(request_token) AWS_I_S3_M(fwd_status_code)            \
       AWS_I_S3_M(fwd_error_code) AWS_I_S3_M(fwd_error_message) AWS_I_S3_M(fwd_accept_ranges)     \
       AWS_I_S3_M(fwd_cache_control) AWS_I_S3_M(fwd_content_disposition)                          \
       AWS_I_S3_M(fwd_content_encoding) AWS_I_S3_M(fwd_content_language)                          \
       AWS_I_S3_M(fwd_content_range) AWS_I_S3_M(fwd_content_type)                                 \
       AWS_I_S3_M(fwd_checksum_crc32) AWS_I_S3_M(fwd_checksum_crc32c)                             \
       AWS_I_S3_M(fwd_checksum_crc64nvme) AWS_I_S3_M(fwd_checksum_sha1)                           \
       AWS_I_S3_M(fwd_checksum_sha256) AWS_I_S3_M(fwd_checksum_sha512)                            \
       AWS_I_S3_M(fwd_checksum_md5) AWS_I_S3_M(fwd_checksum_xxhash64)                             \
       AWS_I_S3_M(fwd_checksum_xxhash3) AWS_I_S3_M(fwd_checksum_xxhash128)                        \
       AWS_I_S3_M(fwd_delete_marker) AWS_I_S3_M(fwd_etag) AWS_I_S3_M(fwd_expires)                 \
       AWS_I_S3_M(fwd_expiration) AWS_I_S3_M(fwd_last_modified) AWS_I_S3_M(fwd_missing_meta)      \
       AWS_I_S3_M(fwd_object_lock_mode) AWS_I_S3_M(fwd_object_lock_legal_hold_status)             \
       AWS_I_S3_M(fwd_object_lock_retain_until_date) AWS_I_S3_M(fwd_parts_count)                  \
       AWS_I_S3_M(fwd_replication_status) AWS_I_S3_M(fwd_request_charged)                         \
       AWS_I_S3_M(fwd_restore) AWS_I_S3_M(fwd_server_side_encryption)                             \
       AWS_I_S3_M(fwd_sse_customer_algorithm) AWS_I_S3_M(fwd_sse_kms_key_id)                      \
       AWS_I_S3_M(fwd_sse_customer_key_md5) AWS_I_S3_M(fwd_storage_class)                         \
       AWS_I_S3_M(fwd_tag_count) AWS_I_S3_M(fwd_version_id) AWS_I_S3_M(fwd_bucket_key_enabled)),  \
      aws_i_s3_route_body, aws_i_s3_send)

/* 0 (with args->buffer: the count of bytes stored), AWS_AGAIN or an error. result may be NULL.
 * args may not; it may be a temporary: what it points at stays until the call has ended. */
#define AWS_I_S3_DECLARE(name, Name, method, query, flags, members, body, run)                    \
    AWS_API int aws_s3_##name(aws_client *client, const aws_s3_args *args, aws_s3_result *result);
AWS_S3_OPERATIONS(AWS_I_S3_DECLARE)
#undef AWS_I_S3_DECLARE

/* The URL that lets anybody make a call until it expires, such as
 *     aws_s3_presign(&client, aws_s3_get_object, &args, 3600, url, sizeof url);
 * seconds: at most 604,800 (7 days), 0: 3,600; AWS_UNSIGNED: the plain address of what is public.
 * Made here, without the server, also while the client is busy. Whoever uses it sends the headers
 * that args say (content_type, metadata ...) as they are, and any body (where the action can't do
 * without one, args have one, too: "" will do). NUL-terminated, into url[size] (300 to 700 bytes,
 * with a session token 2,000): its length, AWS_ERR_MEMORY (failure.needed says the size) or
 * another error; AWS_AGAIN while keys are being had. */
typedef int aws_s3_action(aws_client *client, const aws_s3_args *args, aws_s3_result *result);
AWS_API int aws_s3_presign(aws_client *client, aws_s3_action *action, const aws_s3_args *args,
                           uint32_t seconds, char *url, size_t size);

/* What a browser's form may upload. Strings live during the call, but fields' as you use them. */
typedef struct aws_s3_post {
    const char *bucket;
    const char *key;     /* UTF-8; a "${filename}" at its end stands for the file's name */
    uint32_t    seconds; /* how long it may be used; 0: 3,600 */
    /* Further fields that the form must have, with these values: acl, Content-Type,
     * success_action_status, x-amz-meta-... */
    const aws_pair *fields;
    size_t          field_count;
    /* Fields that the form must have, with values that begin with these ("": any) */
    const aws_pair *prefixes;
    size_t          prefix_count;
    /* Bytes of the file; max 0: no limit */
    uint64_t size_min, size_max;
} aws_s3_post;

/* The form, multipart/form-data to url: first these fields, yours, and at last "file". */
typedef struct aws_s3_form {
    const char *url;
    aws_pair    fields[7]; /* key, x-amz-..., policy, x-amz-signature */
    size_t      count;     /* 6, 7 with a session token */
    size_t      needed;    /* bytes of memory that the texts take */
} aws_s3_form;

/* Sign a form with which anybody uploads what post allows: texts into memory[size] (1.5 KB are
 * usual, with a session token 5 KB), on 6 KB of stack. 0; AWS_ERR_MEMORY: form->needed says the
 * size; AWS_ERR_JSON: a text isn't UTF-8; or another error; AWS_AGAIN while keys are being had. */
AWS_API int aws_s3_presign_post(aws_client *client, const aws_s3_post *post, aws_s3_form *form,
                                void *memory, size_t size);

/* Wait until something exists, or doesn't any more: HEAD every 5 seconds, 20 times at most, or as
 * waiter says, which is zeroed before. 0, AWS_AGAIN (call again), AWS_ERR_TIMEOUT or the error of
 * a call. bucket and key of args name it. */
AWS_API int aws_s3_wait_bucket_exists(aws_client *client, const aws_s3_args *args,
                                      aws_waiter *waiter);
AWS_API int aws_s3_wait_bucket_not_exists(aws_client *client, const aws_s3_args *args,
                                          aws_waiter *waiter);
AWS_API int aws_s3_wait_object_exists(aws_client *client, const aws_s3_args *args,
                                      aws_waiter *waiter);
AWS_API int aws_s3_wait_object_not_exists(aws_client *client, const aws_s3_args *args,
                                          aws_waiter *waiter);

/* put_object with if_none_match or if_match, and what became of it where the answer to an attempt
 * was lost: success if the object is now what was sent (body; its MD5 is the ETag, or size and
 * CRC32 agree), AWS_REASON_NOT_APPLIED if it isn't. AWS_REASON_MAYBE_APPLIED stays if it can't be
 * told: the body came from a source or a stream, or HeadObject isn't allowed. One more request
 * then. */
AWS_API int aws_s3_put_once(aws_client *client, const aws_s3_args *args, aws_s3_result *result);

/* What the last answer says, for streams after aws_client_finish. */
AWS_API void aws_s3_result_of(aws_client *client, aws_s3_result *result);

/* A 256-bit key of SSE-C as the members want it: sse_customer_key and sse_customer_key_md5, or
 * those of a copy's source. Both NUL-terminated; wipe text after the call. */
AWS_API void aws_s3_customer_key(const void *key, char text[45], char md5[25]);

/* ---- Resources ---- */

typedef struct aws_s3_bucket {
    aws_client *client;
    const char *name;
} aws_s3_bucket;

typedef struct aws_s3_object {
    aws_client *client;
    const char *bucket;
    const char *key;
} aws_s3_object;

AWS_API void aws_s3_bucket_init(aws_s3_bucket *bucket, aws_client *client, const char *name);
AWS_API void aws_s3_object_init(aws_s3_object *object, const aws_s3_bucket *bucket,
                                const char *key);

/* create adds the LocationConstraint outside us-east-1. exists: 1, 0 or an error. Members of
 * args other than bucket and key are used; args may be NULL everywhere here. */
AWS_API int aws_s3_bucket_create(const aws_s3_bucket *bucket, const aws_s3_args *args);
AWS_API int aws_s3_bucket_exists(const aws_s3_bucket *bucket);
/* As aws_s3_wait_bucket_exists and its kin. */
AWS_API int aws_s3_bucket_wait_until_exists(const aws_s3_bucket *bucket, aws_waiter *waiter);
AWS_API int aws_s3_bucket_wait_until_not_exists(const aws_s3_bucket *bucket, aws_waiter *waiter);
AWS_API int aws_s3_bucket_delete(const aws_s3_bucket *bucket);
/* Keep old versions from now on, or keep no new ones. */
AWS_API int aws_s3_bucket_enable_versioning(const aws_s3_bucket *bucket);
AWS_API int aws_s3_bucket_suspend_versioning(const aws_s3_bucket *bucket);
AWS_API int aws_s3_bucket_put(const aws_s3_bucket *bucket, const char *key, const void *data,
                              size_t size, const aws_s3_args *args);
/* The object's bytes into buffer: their count; AWS_ERR_MEMORY if they don't fit. */
AWS_API int aws_s3_bucket_get(const aws_s3_bucket *bucket, const char *key, void *buffer,
                              size_t size, const aws_s3_args *args);
AWS_API int aws_s3_bucket_delete_key(const aws_s3_bucket *bucket, const char *key);

AWS_API int aws_s3_object_put(const aws_s3_object *object, const aws_s3_args *args);
AWS_API int aws_s3_object_get(const aws_s3_object *object, const aws_s3_args *args,
                              aws_s3_result *result);
AWS_API int aws_s3_object_head(const aws_s3_object *object, aws_s3_result *result);
AWS_API int aws_s3_object_delete(const aws_s3_object *object);
AWS_API int aws_s3_object_exists(const aws_s3_object *object);
AWS_API int aws_s3_object_wait_until_exists(const aws_s3_object *object, aws_waiter *waiter);
AWS_API int aws_s3_object_wait_until_not_exists(const aws_s3_object *object, aws_waiter *waiter);
/* source: "bucket/key", as it is, not encoded; "?versionId=" may follow. */
AWS_API int aws_s3_object_copy_from(const aws_s3_object *object, const char *source,
                                    const aws_s3_args *args);

/* An entry of a listing. Texts belong to the iterator, until its next step. */
typedef struct aws_s3_summary {
    const char *key; /* NUL-terminated: an object's, a common prefix, or a bucket's name */
    size_t      key_length;
    uint64_t    size;
    int64_t     last_modified; /* Unix seconds; a bucket's creation */
    const char *etag;          /* with its quotes, "" if absent */
    const char *storage_class; /* "" is STANDARD */
    int         is_prefix;     /* a common prefix (with args.delimiter) */
} aws_s3_summary;

enum { AWS_S3_KEY = 1025, AWS_S3_TOKENS = 2048 };

/* Pages through objects (or buckets) by itself. Declare it; its fields are private. */
typedef struct aws_s3_objects {
    unsigned char state, field, in_entry, saving, used; /* used: bytes of the text being read */
    unsigned char escape; /* of a key's %xx: 1, then 0x10 and the first digit */
    unsigned char order;  /* 1: the key being read is a new one; 0: it is as the last one so far */
    unsigned char is_prefix, unordered, by_token, again, token_lost, interrupted;
    int           deep; /* 1: entries are one element deeper */
    aws_client   *client;
    aws_save     *paging;
    const struct aws_i_s3_kind *kind;
    const char   *bucket, *prefix, *after; /* after: where the first page begins */
    unsigned      max_keys;                /* a page, now */
    unsigned      seen;                    /* entries of this page */
    uint32_t      timeout;
    int           result;
    char         *key, *last; /* the key being read, the one before it */
    size_t        length, room; /* of key */
    /* what only aws_s3_paging uses */
    const char    *delimiter;
    unsigned char *page;
    size_t         page_size, page_start, page_end; /* entries kept of an interrupted page */
    size_t         this_token, next_token;          /* their lengths, in tokens */
    unsigned       ceiling, kept; /* max_keys as asked for; entries put in page memory */
    char texts[2][168]; /* of the entry read or returned; [1]: while saving */
    char keys[2][AWS_S3_KEY]; /* plain: the last key, the one being read; with a delimiter: the
                               * last key, the last prefix */
    char tokens[AWS_S3_TOKENS];
} aws_s3_objects;

/* Begin: prefix, delimiter, start_after, max_keys (per page), page, page_size and timeout (per
 * page) of args are used; the strings stay until the iterator ends. Sends nothing.
 * args.page, aligned for nothing, keeps the rest of a page when the loop calls something else
 * (about 60 bytes an entry; 64 KB hold a page of 1,000); without it pages get shorter then. */
AWS_API int aws_s3_objects_begin(aws_s3_objects *it, const aws_s3_bucket *bucket,
                                 const aws_s3_args *args);
/* The same over all buckets of the account (key: its name, last_modified: its creation). */
AWS_API int aws_s3_buckets_begin(aws_s3_objects *it, aws_client *client, const aws_s3_args *args);
/* 1 with the next entry, 0 after the last one, AWS_AGAIN or an error, which stays. */
AWS_API int aws_s3_objects_next(aws_s3_objects *it, aws_s3_summary *summary);
/* Stop early: the connection is freed for other calls (they do so by themselves, too). */
AWS_API int aws_s3_objects_end(aws_s3_objects *it);

/* A version of an object, an upload that isn't complete, or one of its parts. Texts belong to the
 * iterator, until its next step; "" if absent. */
typedef struct aws_s3_entry {
    const char *key;           /* of versions and uploads */
    const char *id;            /* version id ("null" without versioning), upload id */
    const char *etag;          /* with its quotes */
    const char *storage_class;
    const char *checksum;      /* of a part, in base64 */
    unsigned    part_number;   /* of a part */
    uint64_t    size;
    int64_t     last_modified; /* Unix seconds; when an upload was begun */
    int         is_latest, is_delete_marker; /* of versions */
} aws_s3_entry;

/* Private: reads such a listing. text has two halves: the last entry, and the one being read. */
typedef struct aws_i_s3_reader {
    aws_client *client;
    const char *bucket, *key, *upload_id, *prefix;
    const struct aws_i_s3_listing *listing;
    char       *text;
    size_t      room, used;
    unsigned    max, ceiling, seen; /* entries a page, and as asked for; of this page */
    unsigned    number, last_number;
    uint32_t    timeout, first; /* first: a hash of the page's first entry */
    uint64_t    size;
    int64_t     modified;
    int         result;
    uint16_t    places[2][5]; /* of key, id, etag, class and checksum in each half */
    unsigned char state, field, half, in_entry, marker, latest, truncated, encoded, asked, cut,
        interrupted, cuts, escape; /* escape: of a key's %xx: 1, then 0x10 and the first digit */
    char value[40];
} aws_i_s3_reader;

enum { AWS_S3_ENTRY = 1600 };

/* Pages through versions, uploads or parts by itself, and other calls of the same client may be
 * made in its loop. Declare it (about 3.5 KB; it stays in place); its fields are private. */
typedef struct aws_s3_entries {
    aws_i_s3_reader reader;
    char            text[2 * AWS_S3_ENTRY];
} aws_s3_entries;

/* Begin: prefix and timeout (per page) of args, and max_keys, max_uploads or max_parts (per page)
 * are used; args may be NULL, its strings stay until the iterator ends. Sends nothing. Delete
 * markers are among the versions. */
AWS_API int aws_s3_versions_begin(aws_s3_entries *it, const aws_s3_bucket *bucket,
                                  const aws_s3_args *args);
AWS_API int aws_s3_uploads_begin(aws_s3_entries *it, const aws_s3_bucket *bucket,
                                 const aws_s3_args *args);
AWS_API int aws_s3_parts_begin(aws_s3_entries *it, const aws_s3_object *object,
                               const char *upload_id, const aws_s3_args *args);
/* 1 with the next entry, 0 after the last one, AWS_AGAIN or an error, which stays. */
AWS_API int aws_s3_entries_next(aws_s3_entries *it, aws_s3_entry *entry);
/* Stop early: the connection is freed for other calls (they do so by themselves, too). */
AWS_API int aws_s3_entries_end(aws_s3_entries *it);

/* Deletes what an iterator lists, with one DeleteObjects for each batch of up to 1,000 keys. Its
 * fields are private but for deleted. */
typedef struct aws_s3_batch {
    unsigned long deleted; /* public: keys deleted so far */
    void         *it;
    int (*next)(void *it, aws_s3_key *key);
    aws_client   *client;
    const char   *bucket;
    unsigned char *memory;
    aws_s3_key   *keys; /* from the front of memory on; their texts from its end */
    size_t        size, used, count;
    int           sending, result;
} aws_s3_batch;

/* Begin, with an iterator that was begun: its prefix and so on say what is deleted (no common
 * prefixes; of versions the delete markers, too). memory holds a batch: 16 bytes a key (on 32 bits
 * 8) and its texts with a NUL each; 64 KB hold 1,000 keys of up to 48 bytes. At least 4,000 bytes,
 * else AWS_ERR_MEMORY. Sends nothing. */
AWS_API int aws_s3_batch_objects(aws_s3_batch *batch, aws_s3_objects *it, void *memory,
                                 size_t size);
AWS_API int aws_s3_batch_versions(aws_s3_batch *batch, aws_s3_entries *it, void *memory,
                                  size_t size);
/* 0 when all are deleted, AWS_AGAIN or an error, which stays. Objects under a lock and the like
 * are such an error: AWS_ERR_SERVICE, whose failure names the first. */
AWS_API int aws_s3_batch_delete(aws_s3_batch *batch);

/* ---- Managed transfers ---- */

/* One client of a transfer. Set client; the rest is private. */
typedef struct aws_s3_transfer aws_s3_transfer;
typedef struct aws_s3_worker {
    aws_client      *client;
    aws_s3_transfer *transfer;
    aws_source       source;
    aws_sink         sink;
    uint64_t         from, size; /* of the object: the bytes of this request */
    uint64_t         place;      /* how many of them were read or written */
    uint64_t         sent;       /* how many bytes of the part have been moved */
    unsigned         part;       /* 1 to 10,000, 0 idle */
    unsigned char    cuts, checked, wrong;
    char             range[56];
} aws_s3_worker;

/* Everything is optional but where the bytes come from or go to. All of it stays the caller's,
 * in place until the transfer has ended. */
typedef struct aws_s3_transfer_args {
    /* The clients: parts go over all of them at once, on one thread. None: the object's own, which
     * may then wait. One: it may wait, too. Several never do: the step says AWS_AGAIN. */
    aws_s3_worker *workers;
    size_t         worker_count;
    /* Members of PutObject, CreateMultipartUpload, GetObject or CopyObject: content_type, metadata,
     * sse_customer_key, version_id, if_none_match ... Each request gets those that it has. */
    const aws_s3_args *args;
    uint64_t           size; /* bytes of an upload */
    /* Where an upload comes from, one of: memory; a function that reads up to size bytes at any
     * offset (the count, > 0, AWS_AGAIN or an error), a part may be asked for twice; a source that
     * is read once from the start (over one client; with rewind again for a part that failed). */
    const void *data;
    int (*read_at)(void *context, uint64_t offset, void *data, size_t size);
    const aws_source *source;
    /* Where a download goes to, one of: a function that writes up to size bytes at any offset (the
     * count, > 0, AWS_AGAIN or an error), parts in any order; a sink that gets them in theirs
     * (over one client). */
    int (*write_at)(void *context, uint64_t offset, const void *data, size_t size);
    const aws_sink *sink;
    void           *context; /* of read_at, write_at, save and progress */
    uint64_t threshold;     /* bytes: larger objects go in parts; default 8 MiB, copies 5 GiB */
    uint64_t part_size;     /* bytes; default 8 MiB. Taken into 5 MiB to 5 GiB, then doubled until
                             * there are at most 10,000 parts, and memory has room for all */
    uint64_t min_part_size; /* the server's; default 5 MiB */
    const char *copy_source; /* of a copy: "bucket/key", as it is; "?versionId=" may follow */
    /* Uploads and copies in parts remember each part's ETag and checksum here until the end:
     * AWS_S3_PART_MEMORY bytes a part. 10,000 parts take 260,000 bytes; what has room for fewer
     * makes the parts larger. ETags other than 32 hex digits, and checksums longer than CRC32's,
     * take what they are longer: then give more. */
    void  *memory;
    size_t memory_size;
    void (*progress)(void *context, uint64_t done, uint64_t total); /* as bytes move */
    /* For the resume functions: store size bytes (at most AWS_S3_CHECKPOINT) so that they outlive
     * a power cut, or with size 0 forget them. 0 or an error, which ends the transfer. Called right
     * before and after an upload or copy in parts is begun, for a download after each part; then at
     * the end. */
    int (*save)(void *context, const void *checkpoint, size_t size);
    uint64_t stamp; /* any number that changes with the bytes of an upload, such as a file's time of
                     * modification: a checkpoint with another stamp (or size) isn't gone on with */
} aws_s3_transfer_args;

enum { AWS_S3_PART_MEMORY = 26, AWS_S3_CHECKPOINT = 1024 };

/* A transfer. Declare it (about 2.5 KB, of which 1 KB is the checkpoint); it stays in place. */
struct aws_s3_transfer {
    aws_client *client;   /* public: after an error, the client that has the failure */
    char       *upload_id; /* public: of an upload in parts, "" if there is none (yet) */
    uint64_t    size;     /* public: bytes of the object, once known */
    uint64_t    done;     /* public: bytes of the parts that are complete */
    unsigned    parts;    /* public: how many there are, 0: it goes in one request */
    int         orphaned; /* public: 1 if the upload failed and couldn't be aborted either */
    /* private */
    aws_s3_transfer_args a;
    aws_s3_object        object;
    int (*state)(aws_s3_transfer *t);
    int (*call)(aws_s3_transfer *t, aws_s3_worker *w); /* a part's */
    int (*finish)(aws_s3_transfer *t);                 /* the state after the last part */
    int      result;
    uint64_t part_size;
    unsigned next, complete; /* the part to be begun next; how many are complete */
    unsigned base;           /* download: all before this one are complete */
    uint64_t window;         /* and of the 64 from it on these */
    size_t   entry_size;     /* bytes a part in memory */
    unsigned piece;          /* how far the document of the parts has been read */
    size_t   skip, document;
    uint64_t source_at;      /* where in the object the source stands */
    size_t   memory_needed;
    const aws_digest *digest; /* of the parts, NULL none */
    int64_t  begun;          /* the server's time when the upload was created */
    aws_s3_object source;    /* of a copy, and the version of it */
    const char   *source_version;
    int (*note)(aws_s3_transfer *t);  /* save the checkpoint; NULL: there is none */
    int (*after)(aws_s3_transfer *t); /* the state after an old upload is gone */
    unsigned char kind, cancelled, uploading, completing, saved, stale, intended, sweeping;
    aws_s3_worker own;
    union {
        aws_failure failure; /* kept while the upload is aborted */
        struct {
            aws_i_s3_reader reader; /* of the parts that are there already */
            char            text[240];
        } list;
    } u;
    unsigned char record[AWS_S3_CHECKPOINT]; /* numbers, upload id NUL ETag NUL */
};

/* Begin: nothing is sent yet. 0, AWS_ERR_PARAM, AWS_ERR_MEMORY (failure.needed of t->client says
 * the size); it stays: step says it again. An upload of up to threshold bytes is one PutObject,
 * a larger one a multipart upload that is aborted if it fails. A download asks for the object's
 * size and ETag first and fails clearly if it changes meanwhile. */
AWS_API int aws_s3_upload_begin(aws_s3_transfer *t, const aws_s3_object *object,
                                const aws_s3_transfer_args *args);
AWS_API int aws_s3_download_begin(aws_s3_transfer *t, const aws_s3_object *object,
                                  const aws_s3_transfer_args *args);
/* A copy on the server, from args.copy_source: one CopyObject, or UploadPartCopy in parts, each
 * under the ETag that the source had first. A server that doesn't know it (Swift, if the source
 * itself was uploaded in parts) says 412: name its aws_config.dialect; then the source is asked for
 * once more when all parts are there, and must still have that ETag and time. By parts metadata
 * isn't copied: give content_type, metadata ... in args.args. */
AWS_API int aws_s3_copy_begin(aws_s3_transfer *t, const aws_s3_object *object,
                              const aws_s3_transfer_args *args);
/* The same, and they can be gone on with after a power cut: checkpoint[size] is what args.save was
 * given last, size 0 if there is nothing. A checkpoint is checked before use: its own sum, the
 * object's names, size and stamp; the parts that the server has (ListParts), or the ETag
 * (If-Match). What doesn't fit is begun anew (an upload, its old parts are dropped), or an error (a
 * download whose object changed; its checkpoint is forgotten). A transfer that fails isn't aborted
 * then. If the power failed before an upload's id was known, uploads to the same key that have no
 * part are aborted: one program at a time may upload to a key like this. A download needs write_at,
 * and its bytes must be on the medium when save is called. */
AWS_API int aws_s3_upload_resume(aws_s3_transfer *t, const aws_s3_object *object,
                                 const aws_s3_transfer_args *args, const void *checkpoint,
                                 size_t size);
AWS_API int aws_s3_download_resume(aws_s3_transfer *t, const aws_s3_object *object,
                                   const aws_s3_transfer_args *args, const void *checkpoint,
                                   size_t size);
AWS_API int aws_s3_copy_resume(aws_s3_transfer *t, const aws_s3_object *object,
                               const aws_s3_transfer_args *args, const void *checkpoint,
                               size_t size);
/* Go on: 0 when the whole object was transferred, AWS_AGAIN, or an error, which stays and is
 * explained by aws_client_failure_text(t->client). */
AWS_API int aws_s3_transfer_step(aws_s3_transfer *t);
/* After AWS_AGAIN: what the clients wait for, at most room entries; their count. */
AWS_API size_t aws_s3_transfer_waiting(aws_s3_transfer *t, aws_waiting *waiting, size_t room);
/* Step until it has ended; wait sleeps until one of the handles is ready or the shortest time has
 * passed (aws_posix_wait). At most 32 clients. */
AWS_API int aws_s3_transfer_run(aws_s3_transfer *t,
                                int (*wait)(const aws_waiting *waiting, size_t count));
/* Give up: go on with step until it says AWS_ERR_CANCELLED. Returns 0. */
AWS_API int aws_s3_transfer_cancel(aws_s3_transfer *t);

#ifdef __cplusplus
}
#endif
#endif /* AWS_S3_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_S3_IMPLEMENTED)
#define AWS_S3_IMPLEMENTED

#include "aws.h" /* its implementation, if only the declarations had been included */
#include <string.h>

#ifdef AWS_I_SHORT /* as in aws.h */
#pragma GCC push_options
#pragma GCC optimize("no-move-loop-invariants", "no-tree-loop-optimize", "no-if-conversion", \
                     "no-caller-saves", "no-tree-tail-merge", "no-partial-inlining", \
                     "no-schedule-insns2")
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* As in aws.h: texts that not all programs need have names, or they would come with others. */
static const char aws_i_s3_text_true[] = "true";
static const char aws_i_s3_text_get[] = "GET";
static const char aws_i_s3_text_us[] = "us-east-1";
static const char aws_i_s3_text_encoding[] = "encoding-type";
static const char aws_i_s3_text_prefix[] = "prefix";
static const char aws_i_s3_text_arn[] = "arn:";

#if defined(AWS_SMALL) && !defined(AWS_I_ALL_NAMED)
#define AWS_I_S3_REGION NULL /* by a copy of the service: see LITTLE FLASH in aws.h */
#define AWS_I_S3_MEMBERS NULL
#define AWS_I_S3_PAGING NULL
#else
#define AWS_I_S3_REGION aws_call_bucket_region
#define AWS_I_S3_MEMBERS aws_s3_members
#define AWS_I_S3_PAGING aws_s3_paging
#endif
static const char aws_i_s3_id[] = "S3", aws_i_s3_name[] = "s3";
static const char aws_i_s3_lambda_name[] = "s3-object-lambda";

#ifdef AWS_STATIC
static
#endif
const aws_service aws_s3_service = {aws_i_s3_id, aws_i_s3_name, aws_i_s3_name, &aws_rest_xml, NULL,
                                    AWS_SERVICE_S3, AWS_I_S3_REGION, NULL, AWS_I_S3_MEMBERS,
                                    AWS_I_S3_PAGING};

#ifdef AWS_STATIC
AWS_API
#endif
const aws_service aws_s3_object_lambda_service = {
    aws_i_s3_id, aws_i_s3_lambda_name, aws_i_s3_lambda_name, &aws_rest_xml, NULL, AWS_SERVICE_S3,
    NULL, NULL, AWS_I_S3_MEMBERS, NULL};

/* For small code: a function that costs more as a part of its only caller. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define AWS_I_S3_APART __attribute__((noinline))
#else
#define AWS_I_S3_APART
#endif

/* ---- Operations ---- */

enum {
    AWS_I_S3_BUCKET = 1,    /* needs a bucket */
    AWS_I_S3_KEY = 2,       /* and a key */
    AWS_I_S3_OBJECT = AWS_I_S3_BUCKET | AWS_I_S3_KEY,
    AWS_I_S3_BODY = 16,     /* takes one from the caller */
    AWS_I_S3_ANSWER = 32,   /* args->stream means the answer, although there is a body */
    AWS_I_S3_RESULT = 1024, /* the answer is for the result */
    /* these are aws_call's */
    AWS_I_S3_XML = AWS_CALL_XML,                       /* the answer is XML, for the caller */
    AWS_I_S3_COLLECT = AWS_I_S3_RESULT | AWS_CALL_XML, /* or short, for the result */
    AWS_I_S3_PATH_STYLE = AWS_CALL_PATH_STYLE,
    AWS_I_S3_CHECKSUM = AWS_CALL_CHECKSUM, /* has a checksum algorithm as member */
    AWS_I_S3_CHECKSUM_REQUIRED = AWS_CALL_CHECKSUM | AWS_CALL_CHECKSUM_REQUIRED, /* S3 wants one */
    AWS_I_S3_VERIFY = AWS_CALL_VERIFY, /* the answer's checksum is asked for */
    AWS_I_S3_RANGES = AWS_CALL_RANGES, /* the answer may be asked for in ranges */
    AWS_I_S3_OF_CALL = AWS_CALL_XML | AWS_CALL_PATH_STYLE | AWS_CALL_CHECKSUM |
                       AWS_CALL_CHECKSUM_REQUIRED | AWS_CALL_VERIFY | AWS_CALL_RANGES,
    AWS_I_S3_CONFIGURE = AWS_I_S3_BUCKET | AWS_I_S3_BODY | AWS_I_S3_CHECKSUM_REQUIRED
};

/* An action's members: their numbers; MUST stands before one that has to be given. */
enum { AWS_I_S3_MUST = 255 };
#define AWS_I_S3_M(member) AWS_I_S3_I_##member,
#define AWS_I_S3_R(member) AWS_I_S3_MUST, AWS_I_S3_I_##member,
#define AWS_I_S3_SUMS                                                                             \
    AWS_I_S3_M(checksum_crc32) AWS_I_S3_M(checksum_crc32c) AWS_I_S3_M(checksum_crc64nvme)         \
    AWS_I_S3_M(checksum_sha1) AWS_I_S3_M(checksum_sha256) AWS_I_S3_M(checksum_sha512)             \
    AWS_I_S3_M(checksum_md5) AWS_I_S3_M(checksum_xxhash64) AWS_I_S3_M(checksum_xxhash3)           \
    AWS_I_S3_M(checksum_xxhash128)
#define AWS_I_S3_SSEC                                                                             \
    AWS_I_S3_M(sse_customer_algorithm) AWS_I_S3_M(sse_customer_key)                               \
    AWS_I_S3_M(sse_customer_key_md5)
#define AWS_I_S3_SSE                                                                              \
    AWS_I_S3_M(server_side_encryption) AWS_I_S3_M(sse_kms_key_id)                                 \
    AWS_I_S3_M(sse_kms_encryption_context) AWS_I_S3_M(bucket_key_enabled)
#define AWS_I_S3_PAYER AWS_I_S3_M(request_payer) AWS_I_S3_M(expected_bucket_owner)
#define AWS_I_S3_OWNER AWS_I_S3_M(expected_bucket_owner)
#define AWS_I_S3_SENT AWS_I_S3_M(content_md5) AWS_I_S3_M(sdk_checksum_algorithm)
#define AWS_I_S3_GRANTS                                                                           \
    AWS_I_S3_M(grant_full_control) AWS_I_S3_M(grant_read) AWS_I_S3_M(grant_read_acp)              \
    AWS_I_S3_M(grant_write_acp)
#define AWS_I_S3_STORED                                                                           \
    AWS_I_S3_M(acl) AWS_I_S3_M(cache_control) AWS_I_S3_M(content_disposition)                     \
    AWS_I_S3_M(content_encoding) AWS_I_S3_M(content_language) AWS_I_S3_M(content_type)            \
    AWS_I_S3_M(expires) AWS_I_S3_M(storage_class) AWS_I_S3_M(tagging)                             \
    AWS_I_S3_M(website_redirect_location) AWS_I_S3_M(object_lock_mode)                            \
    AWS_I_S3_M(object_lock_retain_until_date) AWS_I_S3_M(object_lock_legal_hold_status)           \
    AWS_I_S3_GRANTS AWS_I_S3_SSE AWS_I_S3_SSEC AWS_I_S3_PAYER
#define AWS_I_S3_IF                                                                               \
    AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match) AWS_I_S3_M(if_modified_since)                  \
    AWS_I_S3_M(if_unmodified_since)
#define AWS_I_S3_READ                                                                             \
    AWS_I_S3_IF AWS_I_S3_M(range) AWS_I_S3_M(version_id) AWS_I_S3_M(part_number)                  \
    AWS_I_S3_M(response_cache_control) AWS_I_S3_M(response_content_disposition)                   \
    AWS_I_S3_M(response_content_encoding) AWS_I_S3_M(response_content_language)                   \
    AWS_I_S3_M(response_content_type) AWS_I_S3_M(response_expires) AWS_I_S3_M(checksum_mode)      \
    AWS_I_S3_SSEC AWS_I_S3_PAYER
#define AWS_I_S3_LISTED                                                                           \
    AWS_I_S3_M(prefix) AWS_I_S3_M(delimiter) AWS_I_S3_M(encoding_type) AWS_I_S3_M(max_keys)       \
    AWS_I_S3_M(optional_object_attributes) AWS_I_S3_PAYER
#define AWS_I_S3_SOURCE                                                                           \
    AWS_I_S3_M(copy_source_if_match) AWS_I_S3_M(copy_source_if_none_match)                        \
    AWS_I_S3_M(copy_source_if_modified_since) AWS_I_S3_M(copy_source_if_unmodified_since)         \
    AWS_I_S3_M(copy_source_sse_customer_algorithm) AWS_I_S3_M(copy_source_sse_customer_key)       \
    AWS_I_S3_M(copy_source_sse_customer_key_md5) AWS_I_S3_M(expected_source_bucket_owner)

typedef struct aws_i_s3_operation aws_i_s3_operation;

/* Give call its body. 0, or the AWS_REASON_* why not, *value what it is about. */
typedef int aws_i_s3_body(const aws_i_s3_operation *op, aws_call *call, const aws_s3_args *args,
                          const char **value);

struct aws_i_s3_operation {
    const char          *name; /* and one after the other method and query */
    const unsigned char *members;
    unsigned             flags;
    aws_i_s3_body       *body;
    /* raw: the caller has said where the answer goes. With result (of AWS_I_S3_RESULT): what the
     * answer's XML has said, after the run */
    int (*run)(aws_client *client, int raw, aws_s3_result *result);
};

#ifndef AWS_STATIC
#define AWS_I_S3_MORE_H(name, wire)                                                               \
    static const char aws_i_s3_w_##name[] = wire;                                                 \
    const aws_s3_member aws_s3_m_##name = {AWS_I_S3_I_##name, 'H', aws_i_s3_w_##name};
#define AWS_I_S3_MORE_Q(name, wire)                                                               \
    static const char aws_i_s3_w_##name[] = wire;                                                 \
    const aws_s3_member aws_s3_m_##name = {AWS_I_S3_I_##name, 'Q', aws_i_s3_w_##name};
AWS_S3_MORE(AWS_I_S3_MORE_H, AWS_I_S3_MORE_Q)
#undef AWS_I_S3_MORE_H
#undef AWS_I_S3_MORE_Q
#endif

/* How many of the common members are of each kind: they stand one kind after the other. */
enum {
#define AWS_I_S3_ONE(field, wire) +1
#define AWS_I_S3_NO(field, wire)
    AWS_I_S3_PLAIN = AWS_S3_MEMBERS(AWS_I_S3_ONE, AWS_I_S3_NO, AWS_I_S3_NO, AWS_I_S3_NO,
                                    AWS_I_S3_NO, AWS_I_S3_NO),
    AWS_I_S3_HEADERS = AWS_S3_MEMBERS(AWS_I_S3_ONE, AWS_I_S3_ONE, AWS_I_S3_ONE, AWS_I_S3_NO,
                                      AWS_I_S3_NO, AWS_I_S3_NO),
    AWS_I_S3_TEXTS = AWS_S3_MEMBERS(AWS_I_S3_ONE, AWS_I_S3_ONE, AWS_I_S3_ONE, AWS_I_S3_ONE,
                                    AWS_I_S3_NO, AWS_I_S3_NO)
#undef AWS_I_S3_ONE
#undef AWS_I_S3_NO
};

/* Their wire names one after the other: no pointers. */
static const char aws_i_s3_wires[] =
#define AWS_I_S3_WIRE(field, wire) wire "\0"
    AWS_S3_MEMBERS(AWS_I_S3_WIRE, AWS_I_S3_WIRE, AWS_I_S3_WIRE, AWS_I_S3_WIRE, AWS_I_S3_WIRE,
                   AWS_I_S3_WIRE);
#undef AWS_I_S3_WIRE

/* A common member's value: a text, or NULL and its number; none if that is 0. */
static const char *aws_i_s3_value(const aws_s3_args *args, unsigned index, unsigned *number)
{
    const char *from = (const char *)args, *text = NULL;

    *number = 0;
    if (index <= AWS_I_S3_TEXTS)
        memcpy(&text, from + offsetof(aws_s3_args, cache_control) + (index - 1) * sizeof text,
               sizeof text);
    else
        memcpy(number, from + offsetof(aws_s3_args, part_number) +
                           (index - 1 - AWS_I_S3_TEXTS) * sizeof *number, sizeof *number);
    return text;
}

/* A member's value goes where it belongs, if the action has it. */
static void aws_i_s3_add_member(aws_client *client, const aws_i_s3_operation *op, unsigned index,
                                const char *wire, const char *text, unsigned number)
{
    if (!strchr((const char *)op->members, (int)index))
        aws_call_refuse(client, AWS_REASON_MEMBER, wire);
    else if (index == AWS_I_S3_I_copy_source)
        aws_call_header_uri(client, wire, text);
    else if (index <= AWS_I_S3_HEADERS)
        aws_call_header(client, index <= AWS_I_S3_PLAIN ? NULL : "x-amz-", wire, text);
    else if (text)
        aws_call_query(client, wire, text);
    else if (index == AWS_I_S3_I_fetch_owner)
        aws_call_query(client, wire, aws_i_s3_text_true);
    else
        aws_call_query_number(client, wire, number);
}

AWS_API void aws_s3_members(aws_client *client, const void *action, const void *arguments)
{
    const aws_i_s3_operation *op = (const aws_i_s3_operation *)action;
    const aws_s3_args *args = (const aws_s3_args *)arguments;
    const char *wire = aws_i_s3_wires, *value;
    unsigned index, at = 1, number;
    size_t i;

    for (index = 1; index <= AWS_I_S3_I_COMMON_LAST; index++) {
        value = aws_i_s3_value(args, index, &number);
        if (!value && !number)
            continue;
        for (; at < index; at++)
            wire += strlen(wire) + 1;
        aws_i_s3_add_member(client, op, index, wire, value, number);
    }
    for (i = 0; i < args->more_count; i++) {
        const aws_s3_member *member = args->more[i].member;
        value = args->more[i].value;
        if (value && !strchr((const char *)op->members, member->index))
            aws_call_refuse(client, AWS_REASON_MEMBER, member->wire);
        else if (value && member->place == 'Q')
            aws_call_query(client, member->wire, value);
        else
            aws_call_header(client, NULL, member->wire, value);
    }
    for (i = 0; i < args->metadata_count; i++)
        aws_call_header(client, "x-amz-meta-", args->metadata[i].name, args->metadata[i].value);
    for (i = 0; i < args->headers_count; i++)
        aws_call_header(client, NULL, args->headers[i].name, args->headers[i].value);
}

/* The counts of the others and all the common ones stand one after the other. */
static int aws_i_s3_has_members(const aws_s3_args *args)
{
    const char *at = (const char *)&args->more_count,
               *end = (const char *)(&args->fetch_owner + 1);

    for (; at < end; at++)
        if (*at)
            return 1;
    return 0;
}

/* Names and values one after the other. */
static AWS_I_S3_APART void aws_i_s3_add_query(aws_client *client, const char *query)
{
    const char *value;

    for (; *query; query = value + strlen(value) + 1) {
        value = query + strlen(query) + 1;
        aws_call_query(client, query, value);
    }
}

/* The members that the caller has given. */
static void aws_i_s3_add_members(aws_client *client, const aws_i_s3_operation *op,
                                 const aws_s3_args *args)
{
    const aws_service *service = aws_call_service(client);

    if (service->members)
        service->members(client, op, args);
    else if (aws_i_s3_has_members(args))
        aws_call_refuse(client, AWS_REASON_SERVICE_MEMBERS, NULL);
}

/* ---- Bodies of requests ---- */

/* <CreateBucketConfiguration>: emit_context is the region. */
static void aws_i_s3_emit_location(aws_out *out, const aws_call *call)
{
    aws_out_text(out, "<CreateBucketConfiguration xmlns=\"" AWS_S3_NAMESPACE "\">"
                      "<LocationConstraint>");
    aws_out_xml(out, (const char *)call->emit_context);
    aws_out_text(out, "</LocationConstraint></CreateBucketConfiguration>");
}

/* <Delete>: emit_context are the keys, emit_count their number, emit_option quiet. */
static void aws_i_s3_emit_delete(aws_out *out, const aws_call *call)
{
    const aws_s3_key *keys = (const aws_s3_key *)call->emit_context;
    size_t i;

    aws_out_text(out, "<Delete xmlns=\"" AWS_S3_NAMESPACE "\">");
    for (i = 0; i < call->emit_count; i++) {
        aws_out_text(out, "<Object><Key>");
        aws_out_xml(out, keys[i].key);
        aws_out_text(out, "</Key>");
        if (keys[i].version_id) {
            aws_out_text(out, "<VersionId>");
            aws_out_xml(out, keys[i].version_id);
            aws_out_text(out, "</VersionId>");
        }
        aws_out_text(out, "</Object>");
    }
    aws_out_text(out, call->emit_option ? "<Quiet>true</Quiet></Delete>" : "</Delete>");
}

/* <CompleteMultipartUpload>: emit_context are the parts. */
static void aws_i_s3_emit_parts(aws_out *out, const aws_call *call)
{
    const aws_s3_part *part = (const aws_s3_part *)call->emit_context;
    size_t i;

    aws_out_text(out, "<CompleteMultipartUpload xmlns=\"" AWS_S3_NAMESPACE "\">");
    for (i = 0; i < call->emit_count; i++, part++) {
        aws_out_text(out, "<Part><ETag>");
        aws_out_xml(out, part->etag);
        aws_out_text(out, "</ETag>");
        if (part->checksum) {
            aws_out_text(out, "<Checksum");
            aws_out_text(out, part->algorithm);
            aws_out_text(out, ">");
            aws_out_xml(out, part->checksum);
            aws_out_text(out, "</Checksum");
            aws_out_text(out, part->algorithm);
            aws_out_text(out, ">");
        }
        aws_out_text(out, "<PartNumber>");
        aws_out_number(out, part->number);
        aws_out_text(out, "</PartNumber></Part>");
    }
    aws_out_text(out, "</CompleteMultipartUpload>");
}

/* <Tagging>: emit_context are the names and values. */
static void aws_i_s3_emit_tags(aws_out *out, const aws_call *call)
{
    const aws_pair *tag = (const aws_pair *)call->emit_context;
    size_t i;

    aws_out_text(out, "<Tagging xmlns=\"" AWS_S3_NAMESPACE "\"><TagSet>");
    for (i = 0; i < call->emit_count; i++, tag++) {
        aws_out_text(out, "<Tag><Key>");
        aws_out_xml(out, tag->name);
        aws_out_text(out, "</Key><Value>");
        aws_out_xml(out, tag->value ? tag->value : "");
        aws_out_text(out, "</Value></Tag>");
    }
    aws_out_text(out, "</TagSet></Tagging>");
}

static const char *aws_i_s3_more_value(const aws_s3_args *args, unsigned index)
{
    size_t i;

    for (i = 0; i < args->more_count; i++)
        if (args->more[i].member->index == index && args->more[i].value)
            return args->more[i].value;
    return NULL;
}

/* The wire names of the members that MUST be given and aren't common; their objects would be linked
 * for all actions that need some member. */
static const char *aws_i_s3_more_name(unsigned index)
{
    switch (index) {
    case AWS_I_S3_I_annotation_name:
        return "annotationName";
    case AWS_I_S3_I_object_attributes:
        return "x-amz-object-attributes";
    case AWS_I_S3_I_rename_source:
        return "x-amz-rename-source";
    case AWS_I_S3_I_request_route:
        return "x-amz-request-route";
    default:
        return "x-amz-request-token";
    }
}

/* A member that has to be given and isn't, or nothing. */
static int aws_i_s3_required(const aws_i_s3_operation *op, aws_call *call, const aws_s3_args *args,
                             const char **value)
{
    const unsigned char *at = op->members;
    unsigned number, i;

    (void)call;
    for (; at[0] == AWS_I_S3_MUST; at += 2) {
        unsigned index = at[1];
        if (index > AWS_I_S3_I_COMMON_LAST) {
            *value = aws_i_s3_more_name(index);
            if (!aws_i_s3_more_value(args, index))
                return AWS_REASON_MEMBER_MISSING;
        } else if (!aws_i_s3_value(args, index, &number) && !number) {
            for (*value = aws_i_s3_wires, i = 1; i < index; i++)
                *value += strlen(*value) + 1;
            return AWS_REASON_MEMBER_MISSING;
        }
    }
    return 0;
}

/* The caller's document, which may be absent. */
static int aws_i_s3_optional_body(const aws_i_s3_operation *op, aws_call *call,
                                  const aws_s3_args *args, const char **value)
{
    call->flags |= AWS_CALL_SIGN_BODY;
    return aws_i_s3_required(op, call, args, value);
}

static int aws_i_s3_document_body(const aws_i_s3_operation *op, aws_call *call,
                                  const aws_s3_args *args, const char **value)
{
    if (!call->data && !call->source && !call->emitter && !(call->flags & AWS_CALL_WRITE))
        return AWS_REASON_NO_BODY;
    return aws_i_s3_optional_body(op, call, args, value);
}

/* A body that we make from what args have; 1 if the caller gave one, too. */
static int aws_i_s3_emitted(aws_call *call, void (*emit)(aws_out *out, const aws_call *call),
                            const void *context, size_t count)
{
    int given = call->data || call->source || call->flags & AWS_CALL_WRITE;

    aws_call_emit(call, emit);
    call->emit_context = context;
    call->emit_count = count;
    return given ? AWS_REASON_BODY_WAYS : 0;
}

static int aws_i_s3_location_body(const aws_i_s3_operation *op, aws_call *call,
                                  const aws_s3_args *args, const char **value)
{
    const char *location = args->location_constraint;
    int reason = location ? aws_i_s3_emitted(call, aws_i_s3_emit_location, location, 0) : 0;

    return reason ? reason : aws_i_s3_optional_body(op, call, args, value);
}

static int aws_i_s3_tags_body(const aws_i_s3_operation *op, aws_call *call,
                              const aws_s3_args *args, const char **value)
{
    int reason = 0;

    if (args->tags)
        reason = aws_i_s3_emitted(call, aws_i_s3_emit_tags, args->tags, args->tag_count);
    return reason ? reason : aws_i_s3_document_body(op, call, args, value);
}

static int aws_i_s3_parts_body(const aws_i_s3_operation *op, aws_call *call,
                               const aws_s3_args *args, const char **value)
{
    const aws_s3_part *part = args->parts;
    unsigned last = 0;
    size_t i;
    int reason;

    if (!part)
        return aws_i_s3_document_body(op, call, args, value);
    if (!args->part_count || args->part_count > 10000)
        return AWS_REASON_PARTS;
    for (i = 0; i < args->part_count; last = part[i++].number)
        if (part[i].number <= last || part[i].number > 10000 || !part[i].etag ||
            (part[i].checksum && !part[i].algorithm))
            return AWS_REASON_PARTS;
    reason = aws_i_s3_emitted(call, aws_i_s3_emit_parts, part, args->part_count);
    return reason ? reason : aws_i_s3_required(op, call, args, value);
}

/* WriteGetObjectResponse: the route goes in the host. */
static int aws_i_s3_route_body(const aws_i_s3_operation *op, aws_call *call,
                               const aws_s3_args *args, const char **value)
{
    call->bucket = aws_i_s3_more_value(args, AWS_I_S3_I_request_route);
    call->key = "WriteGetObjectResponse";
    call->flags |= AWS_CALL_HOST_PREFIX;
    return aws_i_s3_required(op, call, args, value);
}

static int aws_i_s3_delete_body(const aws_i_s3_operation *op, aws_call *call,
                                const aws_s3_args *args, const char **value)
{
    size_t i;

    (void)op;
    call->flags |= AWS_CALL_XML;
    if (!args->objects || !args->object_count || args->object_count > 1000)
        return AWS_REASON_OBJECT_COUNT;
    for (i = 0; i < args->object_count; i++) {
        const char *key = *value = args->objects[i].key;
        if (!key || !*key)
            return AWS_REASON_NO_KEY;
        for (; *key; key++)
            if ((unsigned char)*key < 0x20 && !strchr("\t\n\r", *key))
                return AWS_REASON_KEY_XML;
    }
    *value = NULL;
    call->emit_option = args->quiet;
    (void)aws_i_s3_emitted(call, aws_i_s3_emit_delete, args->objects, args->object_count);
    return 0;
}

/* What is wrong with names, body and answer, 0 nothing. An empty key the call refuses. */
static AWS_I_S3_APART int aws_i_s3_fault(const aws_i_s3_operation *op, const aws_call *call)
{
    const uint64_t limit = (uint64_t)5 << 30;
    int flags = (int)call->flags;
    int bodies = (call->data != NULL) + (call->source != NULL) + (flags & AWS_CALL_WRITE);
    int answers = (call->buffer != NULL) + (call->sink != NULL) + (flags & AWS_CALL_READ ? 1 : 0);

    if (op->flags & AWS_I_S3_BUCKET && (!call->bucket || !*call->bucket))
        return AWS_REASON_NO_BUCKET;
    if (call->key && strlen(call->key) > 1024)
        return AWS_REASON_KEY_LENGTH;
    if (call->size > limit || (call->data && call->size > (size_t)-1))
        return AWS_REASON_BODY_SIZE;
    if (bodies > (op->flags & AWS_I_S3_BODY ? 1 : 0) || (!bodies && call->size))
        return AWS_REASON_BODY_WAYS;
    return answers > 1 ? AWS_REASON_ANSWER_WAYS : 0;
}

/* Read a DeleteResult: count, and keep the first error. */
static int aws_i_s3_read_deleted(aws_client *client, unsigned *counters)
{
    aws_xml *xml;
    int event;

    while ((event = aws_call_xml(client, &xml)) > 0) {
        const char *path = xml->path + xml->root_length;
        if (event == AWS_XML_START)
            counters[0] += strcmp(path, "/Deleted") == 0;
        if (event == AWS_XML_START)
            counters[1] += strcmp(path, "/Error") == 0;
        if (event == AWS_XML_TEXT && counters[1] == 1)
            aws_call_error_text(client, xml);
    }
    return event;
}

static int aws_i_s3_run_delete(aws_client *client, int raw, aws_s3_result *result)
{
    unsigned *counters = aws_call_counters(client); /* deleted, failed, reading */
    int r;

    if (result) {
        result->deleted = counters[0];
        result->failed = counters[1];
        return 0;
    }
    if (raw)
        return aws_call_run_xml(client);
    for (;;) {
        if (!counters[2] && ((r = aws_call_run(client)) < 0 || !aws_call_reading(client)))
            return r;
        counters[2] = 1;
        r = aws_i_s3_read_deleted(client, counters);
        if (r == 0 && counters[1])
            return aws_call_failed(client, AWS_REASON_NOT_DELETED);
        if (r == 0 || r == AWS_AGAIN)
            return r;
        if ((r = aws_call_again(client, r)) < 0)
            return r;
        memset(counters, 0, 3 * sizeof *counters);
    }
}

static AWS_I_S3_APART uint64_t aws_i_s3_decimal(const char *text)
{
    uint64_t number = 0;

    while (text && *text >= '0' && *text <= '9')
        number = number * 10 + (uint64_t)(*text++ - '0');
    return number;
}

static int64_t aws_i_s3_time(const char *text)
{
    return text ? aws_date_parse(text) : -1;
}

AWS_API void aws_s3_result_of(aws_client *client, aws_s3_result *result)
{
    const char *text;

    memset(result, 0, sizeof *result);
    result->status = aws_client_status(client);
    text = aws_client_header(client, "content-length");
    result->size = text ? aws_i_s3_decimal(text) : aws_client_received(client);
    result->etag = aws_client_header(client, "etag");
    result->version_id = aws_client_header(client, "x-amz-version-id");
    result->content_type = aws_client_header(client, "content-type");
    result->last_modified = aws_i_s3_time(aws_client_header(client, "last-modified"));
}

/* The other ways to run: no XML comes, what comes is the caller's, or it is for the result. */
static int aws_i_s3_send(aws_client *client, int raw, aws_s3_result *result)
{
    (void)raw;
    (void)result;
    return aws_call_run(client);
}

static int aws_i_s3_read(aws_client *client, int raw, aws_s3_result *result)
{
    (void)raw;
    (void)result;
    return aws_call_run_xml(client);
}

static int aws_i_s3_collect(aws_client *client, int raw, aws_s3_result *result)
{
    const char *text;

    if (!result)
        return raw ? aws_call_run_xml(client) : aws_call_collect(client);
    if (!result->etag)
        result->etag = aws_client_header(client, "/ETag");
    if (result->last_modified < 0)
        result->last_modified = aws_i_s3_time(aws_client_header(client, "/LastModified"));
    result->upload_id = aws_client_header(client, "/UploadId");
    text = aws_client_header(client, "");
    if (text)
        result->location = !*text ? aws_i_s3_text_us : strcmp(text, "EU") == 0 ? "eu-west-1" : text;
    return 0;
}

static AWS_I_S3_APART int aws_i_s3_enter(aws_client *client, const aws_i_s3_operation *op,
                                         const aws_s3_args *args)
{
    aws_call call;
    unsigned flags = op->flags;
    const char *value;
    int reason, r;

    memset(&call, 0, sizeof call);
    call.operation = op->name;
    call.method = op->name + strlen(op->name) + 1;
    if (flags & AWS_I_S3_BUCKET)
        call.bucket = args->bucket;
    if (flags & AWS_I_S3_KEY)
        call.key = args->key ? args->key : "";
    call.timeout = args->timeout;
    call.progress = args->progress;
    call.progress_context = args->progress_context;
    call.flags = flags & AWS_I_S3_OF_CALL;
    call.checksum = args->checksum;
    if (args->stream && (flags & (AWS_I_S3_BODY | AWS_I_S3_ANSWER)) == AWS_I_S3_BODY)
        call.flags |= AWS_CALL_WRITE;
    else if (args->stream || (flags & AWS_I_S3_RESULT && !args->buffer && !args->sink))
        call.flags |= AWS_CALL_READ;
    call.data = args->body;
    call.source = args->source;
    call.size = args->body_size;
    call.buffer = args->buffer;
    call.buffer_size = args->buffer_size;
    call.sink = args->sink;
    reason = aws_i_s3_fault(op, &call);
    value = reason == AWS_REASON_KEY_LENGTH ? call.key : NULL;
    if (!reason && op->body)
        reason = op->body(op, &call, args, &value);
    r = aws_call_enter(client, &call);
    if (r <= 0)
        return r;
    if (reason)
        aws_call_refuse(client, reason, value);
    aws_i_s3_add_query(client, call.method + strlen(call.method) + 1);
    aws_i_s3_add_members(client, op, args);
    return 0;
}

static int aws_i_s3_run(aws_client *client, const aws_s3_args *args, aws_s3_result *result,
                        const aws_i_s3_operation *op)
{
    int r = args ? aws_i_s3_enter(client, op, args) : AWS_ERR_PARAM;

    if (r < 0)
        return r;
    r = op->run(client, args->stream || args->buffer || args->sink, NULL);
    if (result && r != AWS_AGAIN) {
        aws_s3_result_of(client, result);
        if (op->flags & AWS_I_S3_RESULT)
            op->run(client, 0, result);
    }
    return r;
}

/* One constant and one function per action: what isn't called costs no flash. Its texts are an
 * array with a name: a literal in a constant's initialiser is in every program. */
#define AWS_I_S3_LIST(...) __VA_ARGS__
#define AWS_I_S3_DEFINE(name, Name, method, query, flags, members, body, run)                     \
    AWS_API int aws_s3_##name(aws_client *client, const aws_s3_args *args, aws_s3_result *result) \
    {                                                                                             \
        static const unsigned char list[] = {AWS_I_S3_LIST members 0};                            \
        static const char text[] = #Name "\0" method "\0" query "\0\0";                           \
        static const aws_i_s3_operation op = {text, list, flags, body, run};                      \
        return aws_i_s3_run(client, args, result, &op);                                           \
    }
AWS_S3_OPERATIONS(AWS_I_S3_DEFINE)
#undef AWS_I_S3_DEFINE

/* ---- Conditional writes ---- */

static void aws_i_s3_sum(const aws_digest *digest, const aws_s3_args *args, unsigned char sum[32])
{
    uint64_t context[14];

    digest->init(context);
    digest->update(context, args->body, (size_t)args->body_size);
    digest->out(context, sum);
}

/* Whether the object that HeadObject saw is the body of args. */
static int aws_i_s3_is_ours(const aws_client *client, const aws_s3_args *args,
                            const aws_s3_result *seen)
{
    static const char digits[] = "0123456789abcdef";
    const char *crc = aws_client_header(client, aws_crc32.header);
    unsigned char sum[32];
    char text[40];
    aws_out out;
    size_t i;

    if (seen->size != args->body_size)
        return 0;
    aws_i_s3_sum(&aws_content_md5, args, sum);
    for (i = 0; i < 16; i++) {
        text[1 + 2 * i] = digits[sum[i] >> 4];
        text[2 + 2 * i] = digits[sum[i] & 15];
    }
    text[0] = text[33] = '"';
    text[34] = 0;
    if (seen->etag && strcmp(seen->etag, text) == 0)
        return 1;
    aws_i_s3_sum(&aws_crc32, args, sum);
    memset(&out, 0, sizeof out);
    out.to = (unsigned char *)text;
    out.room = sizeof text - 1;
    aws_out_base64(&out, sum, aws_crc32.size);
    text[out.used] = 0;
    return crc && strcmp(crc, text) == 0;
}

AWS_API int aws_s3_put_once(aws_client *client, const aws_s3_args *args, aws_s3_result *result)
{
    enum { ASKING = 4711 };
    static const aws_pair mode = {"x-amz-checksum-mode", "ENABLED"};
    unsigned *stage = aws_call_counters(client) + 3;
    aws_s3_args ask;
    aws_s3_result seen;
    aws_waiting waiting;
    int r;

    aws_client_waiting(client, &waiting);
    if (*stage != ASKING || !waiting.what) {
        r = aws_s3_put_object(client, args, result);
        if (r != AWS_ERR_SERVICE || !args->body ||
            aws_client_failure(client)->reason != AWS_REASON_MAYBE_APPLIED)
            return r;
    }
    memset(&ask, 0, sizeof ask);
    ask.bucket = args->bucket;
    ask.key = args->key;
    ask.headers = &mode;
    ask.headers_count = 1;
    ask.sse_customer_algorithm = args->sse_customer_algorithm;
    ask.sse_customer_key = args->sse_customer_key;
    ask.sse_customer_key_md5 = args->sse_customer_key_md5;
    ask.request_payer = args->request_payer;
    ask.expected_bucket_owner = args->expected_bucket_owner;
    r = aws_s3_head_object(client, &ask, &seen);
    *stage = r == AWS_AGAIN ? (unsigned)ASKING : 0;
    if (r == AWS_AGAIN)
        return r;
    if (result)
        *result = seen;
    if (r < 0)
        return aws_call_failed(client, AWS_REASON_MAYBE_APPLIED);
    return aws_i_s3_is_ours(client, args, &seen) ? 0
                                                 : aws_call_failed(client, AWS_REASON_NOT_APPLIED);
}

/* ---- Waiters ---- */

static int aws_i_s3_ask_bucket(aws_client *client, const void *context)
{
    return aws_s3_head_bucket(client, (const aws_s3_args *)context, NULL);
}

static int aws_i_s3_ask_object(aws_client *client, const void *context)
{
    return aws_s3_head_object(client, (const aws_s3_args *)context, NULL);
}

AWS_API int aws_s3_wait_bucket_exists(aws_client *client, const aws_s3_args *args,
                                      aws_waiter *waiter)
{
    /* somebody else's, or in another region: it exists */
    static const aws_waiter_rule rules[] = {{200, NULL, AWS_WAITER_DONE},
                                            {301, NULL, AWS_WAITER_DONE},
                                            {403, NULL, AWS_WAITER_DONE},
                                            {404, NULL, AWS_WAITER_AGAIN},
                                            {0, NULL, 0}};
    static const char name[] = "BucketExists";
    static const aws_waiter_kind kind = {name, aws_i_s3_ask_bucket, rules, 0, 0};

    return aws_wait(client, &kind, args, waiter);
}

AWS_API int aws_s3_wait_bucket_not_exists(aws_client *client, const aws_s3_args *args,
                                          aws_waiter *waiter)
{
    static const aws_waiter_rule rules[] = {{404, NULL, AWS_WAITER_DONE}, {0, NULL, 0}};
    static const char name[] = "BucketNotExists";
    static const aws_waiter_kind kind = {name, aws_i_s3_ask_bucket, rules, 0, 0};

    return aws_wait(client, &kind, args, waiter);
}

AWS_API int aws_s3_wait_object_exists(aws_client *client, const aws_s3_args *args,
                                      aws_waiter *waiter)
{
    static const aws_waiter_rule rules[] = {{200, NULL, AWS_WAITER_DONE},
                                            {404, NULL, AWS_WAITER_AGAIN},
                                            {0, NULL, 0}};
    static const char name[] = "ObjectExists";
    static const aws_waiter_kind kind = {name, aws_i_s3_ask_object, rules, 0, 0};

    return aws_wait(client, &kind, args, waiter);
}

AWS_API int aws_s3_wait_object_not_exists(aws_client *client, const aws_s3_args *args,
                                          aws_waiter *waiter)
{
    static const aws_waiter_rule rules[] = {{404, NULL, AWS_WAITER_DONE}, {0, NULL, 0}};
    static const char name[] = "ObjectNotExists";
    static const aws_waiter_kind kind = {name, aws_i_s3_ask_object, rules, 0, 0};

    return aws_wait(client, &kind, args, waiter);
}

static void aws_i_s3_encode(char *text, size_t room, const void *data, size_t size)
{
    aws_out out;

    memset(&out, 0, sizeof out);
    out.to = (unsigned char *)text;
    out.room = room - 1;
    aws_out_base64(&out, data, size);
    text[out.used] = 0;
}

AWS_API void aws_s3_customer_key(const void *key, char text[45], char md5[25])
{
    uint64_t context[14];
    volatile uint64_t *wiped = context;
    unsigned char sum[16];
    size_t i;

    aws_content_md5.init(context);
    aws_content_md5.update(context, key, 32);
    aws_content_md5.out(context, sum);
    for (i = 0; i < 14; i++)
        wiped[i] = 0;
    aws_i_s3_encode(text, 45, key, 32);
    aws_i_s3_encode(md5, 25, sum, sizeof sum);
}

/* ---- Presigning ---- */

typedef struct aws_i_s3_presigning {
    aws_s3_action     *action;
    const aws_s3_args *args;
} aws_i_s3_presigning;

static int aws_i_s3_make(aws_client *client, void *context)
{
    const aws_i_s3_presigning *p = (const aws_i_s3_presigning *)context;

    return p->action(client, p->args, NULL);
}

AWS_API int aws_s3_presign(aws_client *client, aws_s3_action *action, const aws_s3_args *args,
                           uint32_t seconds, char *url, size_t size)
{
    aws_i_s3_presigning p;

    p.action = action;
    p.args = args;
    return aws_call_presign(client, aws_i_s3_make, &p, seconds, url, size);
}

/* What is being signed: the form's fields, and texts that they point at. */
typedef struct aws_i_s3_form {
    aws_pair    fields[7];
    size_t      count;
    aws_signing signing;
    char        date[17], signature[65], credential[300];
} aws_i_s3_form;

/* JSON as base64, as it is written: for aws_out.hash. */
typedef struct aws_i_s3_base64 {
    aws_out      *out;
    unsigned char bytes[3];
    size_t        count;
} aws_i_s3_base64;

static void aws_i_s3_add_base64(void *context, const void *data, size_t size)
{
    aws_i_s3_base64 *b = (aws_i_s3_base64 *)context;
    const unsigned char *from = (const unsigned char *)data;

    while (size--) {
        b->bytes[b->count++] = *from++;
        if (b->count == sizeof b->bytes) {
            aws_out_base64(b->out, b->bytes, b->count);
            b->count = 0;
        }
    }
}

static void aws_i_s3_text_out(aws_out *out, char *text, size_t room)
{
    memset(out, 0, sizeof *out);
    out->to = (unsigned char *)text;
    out->room = room;
}

static void aws_i_s3_equals(aws_json_writer *w, const char *name, const char *value)
{
    aws_json_open_object(w, NULL);
    aws_json_put_string(w, name, value);
    aws_json_close(w);
}

/* ["starts-with", "$name", value] without the value's end */
static void aws_i_s3_starts(aws_json_writer *w, const char *name, const char *value)
{
    char field[130]; /* a longer one ends at the first check of the server */
    aws_out out;

    aws_i_s3_text_out(&out, field, sizeof field - 1);
    aws_out_text(&out, "$");
    aws_out_text(&out, name);
    field[out.used] = 0;
    aws_json_open_array(w, NULL);
    aws_json_put_string(w, NULL, "starts-with");
    aws_json_put_string(w, NULL, field);
    aws_json_put_string(w, NULL, value);
    aws_json_close(w);
}

/* The key of the form: as it is, or what comes before the file's name. */
static void aws_i_s3_key_condition(aws_json_writer *w, const char *key)
{
    static const char name[] = "${filename}";
    char prefix[1025];
    size_t length = strlen(key), tail = sizeof name - 1;

    if (length < tail || length >= sizeof prefix || strcmp(key + length - tail, name) != 0) {
        aws_i_s3_equals(w, "key", key);
        return;
    }
    memcpy(prefix, key, length - tail);
    prefix[length - tail] = 0;
    aws_i_s3_starts(w, "key", prefix);
}

/* "2026-01-02T03:04:05Z" of x-amz-date's form. */
static void aws_i_s3_expiration(aws_json_writer *w, int64_t time)
{
    char date[17], text[21];
    size_t i, at = 0;

    aws_date_text(time, date);
    for (i = 0; i < sizeof date; i++) {
        if (i == 4 || i == 6)
            text[at++] = '-';
        else if (i == 11 || i == 13)
            text[at++] = ':';
        text[at++] = date[i];
    }
    aws_json_put_string(w, "expiration", text);
}

/* The policy: every field of the form, and what the file may be. */
static void aws_i_s3_policy(aws_json_writer *w, const aws_s3_post *post, const aws_i_s3_form *form)
{
    size_t i;

    aws_json_open_object(w, NULL);
    aws_i_s3_expiration(w, form->signing.time + (post->seconds ? post->seconds : 3600));
    aws_json_open_array(w, "conditions");
    aws_i_s3_equals(w, "bucket", post->bucket);
    aws_i_s3_key_condition(w, post->key);
    for (i = 1; i < form->count; i++)
        aws_i_s3_equals(w, form->fields[i].name, form->fields[i].value);
    for (i = 0; i < post->field_count; i++)
        aws_i_s3_equals(w, post->fields[i].name, post->fields[i].value);
    for (i = 0; i < post->prefix_count; i++)
        aws_i_s3_starts(w, post->prefixes[i].name, post->prefixes[i].value);
    if (post->size_min || post->size_max) {
        const uint64_t any = (uint64_t)5 << 40;
        aws_json_open_array(w, NULL);
        aws_json_put_string(w, NULL, "content-length-range");
        aws_json_put_number(w, NULL, (int64_t)post->size_min, 0);
        aws_json_put_number(w, NULL, (int64_t)(post->size_max ? post->size_max : any), 0);
        aws_json_close(w);
    }
    aws_json_close(w);
    aws_json_close(w);
}

static void aws_i_s3_form_field(aws_i_s3_form *form, const char *name, const char *value)
{
    form->fields[form->count].name = name;
    form->fields[form->count++].value = value;
}

/* The fields that the policy names. */
static int aws_i_s3_form_begin(aws_i_s3_form *form, const aws_s3_post *post)
{
    const aws_signing *g = &form->signing;
    aws_out out;

    aws_date_text(g->time, form->date);
    aws_i_s3_text_out(&out, form->credential, sizeof form->credential);
    aws_out_text(&out, g->access_key_id);
    aws_out_text(&out, "/");
    aws_out_bytes(&out, form->date, 8);
    aws_out_text(&out, "/");
    aws_out_text(&out, g->region);
    aws_out_text(&out, "/");
    aws_out_text(&out, g->service);
    aws_out_bytes(&out, "/aws4_request", sizeof "/aws4_request");
    form->count = 0;
    aws_i_s3_form_field(form, "key", post->key);
    aws_i_s3_form_field(form, "x-amz-algorithm", "AWS4-HMAC-SHA256");
    aws_i_s3_form_field(form, "x-amz-credential", form->credential);
    aws_i_s3_form_field(form, "x-amz-date", form->date);
    if (g->session_token)
        aws_i_s3_form_field(form, "x-amz-security-token", g->session_token);
    return out.length > out.room ? AWS_ERR_CREDENTIALS : 0;
}

/* The policy in base64 into out, and the fields that are made of it. */
static int aws_i_s3_form_sign(aws_i_s3_form *form, const aws_s3_post *post, aws_out *out)
{
    const char *text = (const char *)out->to;
    aws_i_s3_base64 b;
    aws_json_writer w;

    memset(&b, 0, sizeof b);
    b.out = out;
    aws_json_begin(&w, NULL, 0);
    w.out.hash = aws_i_s3_add_base64;
    w.out.hash_context = &b;
    aws_i_s3_policy(&w, post, form);
    if (w.code)
        return w.code;
    aws_out_base64(out, b.bytes, b.count);
    aws_sign_text(&form->signing, text, out->used, form->signature);
    aws_out_bytes(out, "", 1);
    aws_i_s3_form_field(form, "policy", text);
    aws_i_s3_form_field(form, "x-amz-signature", form->signature);
    return 0;
}

static const char *aws_i_s3_form_keep(aws_out *out, const char *text)
{
    const char *kept = (const char *)out->to + out->used;

    aws_out_bytes(out, text, strlen(text) + 1);
    return kept;
}

/* The bucket's address; a key that can't be one is refused as by PutObject. */
static int aws_i_s3_make_form(aws_client *client, void *context)
{
    const aws_s3_post *post = (const aws_s3_post *)context;
    aws_s3_args args;

    memset(&args, 0, sizeof args);
    args.bucket = post->bucket;
    args.key = post->key;
    if (!args.key || !*args.key || strlen(args.key) > 1024)
        return aws_s3_put_object(client, &args, NULL);
    args.key = NULL;
    return aws_s3_head_bucket(client, &args, NULL);
}

AWS_API int aws_s3_presign_post(aws_client *client, const aws_s3_post *post, aws_s3_form *form,
                                void *memory, size_t size)
{
    char url[560]; /* host and bucket have at most 255 bytes each */
    aws_s3_post copy = *post;
    aws_i_s3_form f;
    aws_out out;
    size_t i;
    int r;

    memset(form, 0, sizeof *form);
    r = aws_call_presign(client, aws_i_s3_make_form, &copy, AWS_UNSIGNED, url, sizeof url);
    if (r < 0 || (r = aws_call_signing(client, &f.signing)) < 0)
        return r;
    aws_i_s3_text_out(&out, (char *)memory, size);
    if ((r = aws_i_s3_form_begin(&f, post)) < 0 || (r = aws_i_s3_form_sign(&f, post, &out)) < 0)
        return r;
    form->count = f.count;
    for (i = 0; i < f.count; i++) {
        const char *value = f.fields[i].value;
        form->fields[i].name = f.fields[i].name;
        form->fields[i].value = value == (char *)memory ? value : aws_i_s3_form_keep(&out, value);
    }
    form->url = aws_i_s3_form_keep(&out, url);
    form->needed = out.length;
    return out.length > size ? AWS_ERR_MEMORY : 0;
}

/* ---- Resources ---- */

AWS_API void aws_s3_bucket_init(aws_s3_bucket *bucket, aws_client *client, const char *name)
{
    bucket->client = client;
    bucket->name = name;
}

AWS_API void aws_s3_object_init(aws_s3_object *object, const aws_s3_bucket *bucket, const char *key)
{
    object->client = bucket->client;
    object->bucket = bucket->name;
    object->key = key;
}

/* args or none, with the names of the resource. */
static void aws_i_s3_args(aws_s3_args *copy, const aws_s3_args *args, const char *bucket,
                          const char *key)
{
    if (args)
        *copy = *args;
    else
        memset(copy, 0, sizeof *copy);
    copy->bucket = bucket;
    copy->key = key;
}

/* 404 is an answer here. */
static int aws_i_s3_exists(const aws_client *client, int r)
{
    if (r == AWS_ERR_SERVICE && aws_client_failure(client)->http_status == 404)
        return 0;
    return r < 0 ? r : 1;
}

AWS_API int aws_s3_bucket_create(const aws_s3_bucket *bucket, const aws_s3_args *args)
{
    aws_s3_args a;
    const char *region = aws_client_region(bucket->client);

    aws_i_s3_args(&a, args, bucket->name, NULL);
    if (!a.location_constraint && region && strcmp(region, aws_i_s3_text_us) != 0)
        a.location_constraint = region;
    return aws_s3_create_bucket(bucket->client, &a, NULL);
}

AWS_API int aws_s3_bucket_exists(const aws_s3_bucket *bucket)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, NULL);
    return aws_i_s3_exists(bucket->client, aws_s3_head_bucket(bucket->client, &a, NULL));
}

AWS_API int aws_s3_bucket_delete(const aws_s3_bucket *bucket)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, NULL);
    return aws_s3_delete_bucket(bucket->client, &a, NULL);
}

static int aws_i_s3_set_versioning(const aws_s3_bucket *bucket, const char *body, size_t size)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, NULL);
    a.body = body;
    a.body_size = size;
    return aws_s3_put_bucket_versioning(bucket->client, &a, NULL);
}

AWS_API int aws_s3_bucket_enable_versioning(const aws_s3_bucket *bucket)
{
    static const char body[] = "<VersioningConfiguration xmlns=\"" AWS_S3_NAMESPACE "\">"
                               "<Status>Enabled</Status></VersioningConfiguration>";

    return aws_i_s3_set_versioning(bucket, body, sizeof body - 1);
}

AWS_API int aws_s3_bucket_suspend_versioning(const aws_s3_bucket *bucket)
{
    static const char body[] = "<VersioningConfiguration xmlns=\"" AWS_S3_NAMESPACE "\">"
                               "<Status>Suspended</Status></VersioningConfiguration>";

    return aws_i_s3_set_versioning(bucket, body, sizeof body - 1);
}

AWS_API int aws_s3_bucket_put(const aws_s3_bucket *bucket, const char *key, const void *data,
                              size_t size, const aws_s3_args *args)
{
    aws_s3_args a;

    aws_i_s3_args(&a, args, bucket->name, key);
    a.body = data || size ? data : ""; /* a body in args, too, is refused */
    a.body_size = size;
    return aws_s3_put_object(bucket->client, &a, NULL);
}

AWS_API int aws_s3_bucket_get(const aws_s3_bucket *bucket, const char *key, void *buffer,
                              size_t size, const aws_s3_args *args)
{
    aws_s3_args a;

    aws_i_s3_args(&a, args, bucket->name, key);
    a.buffer = buffer;
    a.buffer_size = size;
    return aws_s3_get_object(bucket->client, &a, NULL);
}

AWS_API int aws_s3_bucket_delete_key(const aws_s3_bucket *bucket, const char *key)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, key);
    return aws_s3_delete_object(bucket->client, &a, NULL);
}

AWS_API int aws_s3_object_put(const aws_s3_object *object, const aws_s3_args *args)
{
    aws_s3_args a;

    aws_i_s3_args(&a, args, object->bucket, object->key);
    return aws_s3_put_object(object->client, &a, NULL);
}

AWS_API int aws_s3_object_get(const aws_s3_object *object, const aws_s3_args *args,
                              aws_s3_result *result)
{
    aws_s3_args a;

    aws_i_s3_args(&a, args, object->bucket, object->key);
    return aws_s3_get_object(object->client, &a, result);
}

AWS_API int aws_s3_object_head(const aws_s3_object *object, aws_s3_result *result)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, object->bucket, object->key);
    return aws_s3_head_object(object->client, &a, result);
}

AWS_API int aws_s3_object_delete(const aws_s3_object *object)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, object->bucket, object->key);
    return aws_s3_delete_object(object->client, &a, NULL);
}

AWS_API int aws_s3_object_exists(const aws_s3_object *object)
{
    return aws_i_s3_exists(object->client, aws_s3_object_head(object, NULL));
}

AWS_API int aws_s3_bucket_wait_until_exists(const aws_s3_bucket *bucket, aws_waiter *waiter)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, NULL);
    return aws_s3_wait_bucket_exists(bucket->client, &a, waiter);
}

AWS_API int aws_s3_bucket_wait_until_not_exists(const aws_s3_bucket *bucket, aws_waiter *waiter)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, bucket->name, NULL);
    return aws_s3_wait_bucket_not_exists(bucket->client, &a, waiter);
}

AWS_API int aws_s3_object_wait_until_exists(const aws_s3_object *object, aws_waiter *waiter)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, object->bucket, object->key);
    return aws_s3_wait_object_exists(object->client, &a, waiter);
}

AWS_API int aws_s3_object_wait_until_not_exists(const aws_s3_object *object, aws_waiter *waiter)
{
    aws_s3_args a;

    aws_i_s3_args(&a, NULL, object->bucket, object->key);
    return aws_s3_wait_object_not_exists(object->client, &a, waiter);
}

AWS_API int aws_s3_object_copy_from(const aws_s3_object *object, const char *source,
                                    const aws_s3_args *args)
{
    aws_s3_args a;

    aws_i_s3_args(&a, args, object->bucket, object->key);
    a.copy_source = source;
    return aws_s3_copy(object->client, &a, NULL);
}

/* ---- Iterators ---- */

/* A listing goes on after the last key that was returned: a key is read aside, so that a page that
 * breaks off leaves the last one. What else there is, aws_s3_paging knows; a program that has it
 * asks it at each AWS_I_S3_P_*. */

enum { AWS_I_S3_ASK, AWS_I_S3_PAGE, AWS_I_S3_NEXT, AWS_I_S3_ENDED };

/* What an element of the answer is. */
enum {
    AWS_I_S3_F_NONE,
    AWS_I_S3_F_ENTRY,
    AWS_I_S3_F_TRUNCATED,
    AWS_I_S3_F_ENCODING,
    AWS_I_S3_F_KEY, /* from here on inside an entry */
    AWS_I_S3_F_SIZE,
    AWS_I_S3_F_MODIFIED,
    AWS_I_S3_F_CLASS,
    AWS_I_S3_F_ETAG,
    AWS_I_S3_F_TOKEN /* paging's */
};

/* Where their texts begin in texts; KEY has none there. */
enum {
    AWS_I_S3_T_ENCODING = 4,
    AWS_I_S3_T_SIZE = 8,
    AWS_I_S3_T_MODIFIED = 32,
    AWS_I_S3_T_CLASS = 64,
    AWS_I_S3_T_ETAG = 96,
    AWS_I_S3_T_END = sizeof ((aws_s3_objects *)0)->texts[0]
};

/* The steps of aws_s3_paging; 0 is aws_call_own's. */
enum {
    AWS_I_S3_P_SAVE,
    AWS_I_S3_P_BEGIN,       /* data: the arguments */
    AWS_I_S3_P_NAME,        /* the field of an element (data: aws_xml) that isn't known */
    AWS_I_S3_P_TEXT,        /* of it */
    AWS_I_S3_P_ENTRY,       /* one begins: 0 or an error */
    AWS_I_S3_P_KEPT,        /* 1 with the summary (data), 0: there is none, or AWS_AGAIN */
    AWS_I_S3_P_NEXT,        /* after a page, if there is more: 0 or an error */
    AWS_I_S3_P_QUERY,       /* 1 if it isn't start-after that says where the page begins */
    AWS_I_S3_P_LOST,        /* a page broke off; data: it is being asked for again. 0 or an error */
    AWS_I_S3_P_BYTE = 256   /* and more: a byte of a key that may have been returned already; 1 if
                             * it is stored */
};

static AWS_I_S3_APART int aws_i_s3_ask_paging(aws_s3_objects *it, int step, void *data)
{
    return it->paging ? it->paging(it, step, data) : 0;
}

/* Its parts are at fixed places behind one pointer. */
struct aws_i_s3_kind {
    char operation[14], max[12];
    char query[34]; /* names and values one after the other */
    char names[75]; /* a length, then the name; in the order of the fields */
};

static const struct aws_i_s3_kind aws_i_s3_kind_objects = {
    "ListObjectsV2", "max-keys", "list-type\0" "2\0" "encoding-type\0" "url\0",
    "\10Contents\13IsTruncated\14EncodingType\3Key\4Size\14LastModified\14StorageClass\4ETag"};

static int aws_i_s3_listed(aws_s3_objects *it, int result)
{
    it->state = AWS_I_S3_ENDED;
    return it->result = result;
}

static AWS_I_S3_APART int aws_i_s3_list_failed(aws_s3_objects *it, int reason)
{
    return aws_i_s3_listed(it, aws_call_failed(it->client, reason));
}

static void aws_i_s3_begin(aws_s3_objects *it, aws_client *client, const char *bucket,
                           const aws_s3_args *args)
{
    memset(it, 0, sizeof *it);
    it->client = client;
    it->kind = &aws_i_s3_kind_objects;
    it->bucket = bucket;
    it->after = it->last = it->keys[0];
    if (args) {
        it->prefix = args->prefix;
        it->timeout = args->timeout;
        it->max_keys = args->max_keys;
    }
}

AWS_API int aws_s3_objects_begin(aws_s3_objects *it, const aws_s3_bucket *bucket,
                                 const aws_s3_args *args)
{
    static const char directory[] = "--x-s3";
    const char *name = bucket->name ? bucket->name : "";
    const char *after = args && args->start_after ? args->start_after : "";
    size_t size = strlen(name);

    aws_i_s3_begin(it, bucket->client, name, args);
    it->paging = aws_call_service(it->client)->paging;
    it->unordered = size >= sizeof directory &&
                    strcmp(name + size + 1 - sizeof directory, directory) == 0;
    size = strlen(after);
    if (size >= AWS_S3_KEY)
        return aws_i_s3_list_failed(it, AWS_REASON_START_AFTER);
    memcpy(it->keys[0], after, size); /* the place to resume at */
    if (it->paging)
        return it->paging(it, AWS_I_S3_P_BEGIN, (void *)(uintptr_t)args);
    if (it->unordered || (args && args->delimiter))
        return aws_i_s3_list_failed(it, AWS_REASON_PAGING);
    return 0;
}

/* ---- Reading a page ---- */

static int aws_i_s3_hex(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                               : -1;
}

/* Undo encoding-type=url byte by byte, across pieces: what is encoded is three times as long and
 * may not fit. escape: 1 after a '%', then 0x10 and the first digit. The key's byte, 0 if there is
 * none yet, or an error. */
static AWS_I_S3_APART int aws_i_s3_unescape(unsigned char *escape, int c)
{
    int value;

    if (!*escape) {
        *escape = c == '%';
        return c == '%' ? 0 : c == '+' ? ' ' : c;
    }
    if ((value = aws_i_s3_hex(c)) < 0)
        return AWS_ERR_PROTOCOL;
    value |= *escape << 4;
    *escape = value < 0x100 ? (unsigned char)value : 0;
    if (*escape)
        return 0;
    return value & 0xff ? value & 0xff : AWS_ERR_PROTOCOL;
}

/* Append a piece of a key. Its length counts what doesn't fit, too. 0 or an error. */
static int aws_i_s3_key_text(aws_s3_objects *it, const char *text, size_t size)
{
    int encoded = it->texts[it->saving][AWS_I_S3_T_ENCODING] == 'u', c = 0;
    const char *end = text + size;
    size_t at = it->length;

    while (text < end && c >= 0) {
#ifndef AWS_SMALL /* the same, faster, for what stands for itself and needn't be compared */
        if (it->order == 1 && !it->escape) {
            char *key = it->key;
            size_t room = it->room;
            while (text < end && at < room && !(encoded && (*text == '%' || *text == '+')))
                key[at++] = *text++;
            if (text == end)
                break;
        }
#endif
        c = (unsigned char)*text++;
        if (encoded && (it->escape || c == '%' || c == '+') &&
            (c = aws_i_s3_unescape(&it->escape, c)) <= 0)
            continue;
        it->length = at;
        if ((it->order == 1 || it->paging(it, AWS_I_S3_P_BYTE + c, NULL)) && at < it->room)
            it->key[at] = (char)c;
        at++;
    }
    it->length = at;
    return c < 0 ? c : 0;
}

static void aws_i_s3_set(char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    to[size] = 0;
}

/* A piece of a field's text. 0 or an error. */
static int aws_i_s3_page_text(aws_s3_objects *it, aws_xml *xml)
{
    static const unsigned char starts[] = {
        0, AWS_I_S3_T_ENCODING, AWS_I_S3_T_SIZE, AWS_I_S3_T_SIZE, AWS_I_S3_T_MODIFIED,
        AWS_I_S3_T_CLASS, AWS_I_S3_T_ETAG, AWS_I_S3_T_END};
    const unsigned char *start = starts + it->field - AWS_I_S3_F_TRUNCATED;
    size_t size = xml->text_size, begin, room;

    if (it->field == AWS_I_S3_F_KEY)
        return aws_i_s3_key_text(it, xml->text, size);
    if (it->field == AWS_I_S3_F_TOKEN)
        return it->paging(it, AWS_I_S3_P_TEXT, xml);
    begin = start[0] + (size_t)it->used;
    room = start[1] - 1u - begin; /* what doesn't fit is not for us */
    if (size > room)
        size = room;
    aws_i_s3_set(it->texts[it->saving] + begin, xml->text, size);
    it->used = (unsigned char)(it->used + size);
    return 0;
}

/* The place of an element in a list of lengths and names, from 1 on; 0 none. */
static unsigned aws_i_s3_find(const char *names, const aws_xml *xml)
{
    unsigned place = 1;
    size_t length;

    for (; (length = (unsigned char)*names++) != 0; names += length, place++)
        if (length == xml->name_size && memcmp(names, xml->name, length) == 0)
            return place;
    return 0;
}

/* An element begins. 0 or an error. */
static int aws_i_s3_element(aws_s3_objects *it, aws_xml *xml)
{
    unsigned field = aws_i_s3_find(it->kind->names, xml);
    char *texts;

    if (!field)
        field = (unsigned)aws_i_s3_ask_paging(it, AWS_I_S3_P_NAME, xml);
    if (it->in_entry != (field - AWS_I_S3_F_KEY <= AWS_I_S3_F_ETAG - AWS_I_S3_F_KEY))
        field = AWS_I_S3_F_NONE;
    it->field = (unsigned char)field;
    it->used = 0;
    if (field != AWS_I_S3_F_ENTRY)
        return 0;
    it->field = AWS_I_S3_F_NONE;
    it->in_entry = it->order = 1;
    it->length = 0;
    it->room = AWS_S3_KEY - 1;
    texts = it->texts[it->saving];
    texts[AWS_I_S3_T_SIZE] = texts[AWS_I_S3_T_MODIFIED] = 0;
    texts[AWS_I_S3_T_CLASS] = texts[AWS_I_S3_T_ETAG] = 0;
    return aws_i_s3_ask_paging(it, AWS_I_S3_P_ENTRY, NULL);
}

/* Read on to the next entry: 1, 0 at the end of the page, AWS_AGAIN or an error. */
static AWS_I_S3_APART int aws_i_s3_read_entry(aws_s3_objects *it)
{
    aws_xml *xml;
    int event, r = 0;

    while ((event = aws_call_xml(it->client, &xml)) > 0) {
        int leaf = event == AWS_XML_LEAF, depth = xml->depth + leaf - it->deep;
        xml->leaves = 1;
        if (depth <= 3 && (leaf || event == AWS_XML_START))
            r = aws_i_s3_element(it, xml);
        if ((leaf || event == AWS_XML_TEXT) && it->field)
            r = aws_i_s3_page_text(it, xml);
        if (r < 0)
            return r;
        if (!leaf && event != AWS_XML_END)
            continue;
        it->field = AWS_I_S3_F_NONE;
        if (it->in_entry && depth == 2) {
            it->in_entry = 0;
            it->seen++;
            return it->escape ? AWS_ERR_PROTOCOL : it->length >= AWS_S3_KEY ? AWS_ERR_TOO_BIG : 1;
        }
    }
    return event;
}

/* What the fields' texts say. */
static void aws_i_s3_fields(char *text, aws_s3_summary *summary)
{
    summary->size = aws_i_s3_decimal(text + AWS_I_S3_T_SIZE);
    summary->last_modified = aws_date_parse(text + AWS_I_S3_T_MODIFIED);
    if (summary->last_modified < 0)
        summary->last_modified = 0;
    summary->storage_class = text + AWS_I_S3_T_CLASS;
    summary->etag = text + AWS_I_S3_T_ETAG;
    if (strcmp(summary->storage_class, "STANDARD") == 0)
        text[AWS_I_S3_T_CLASS] = 0;
}

/* An entry is complete, and the last one unless it was already: 1 or 0. */
static int aws_i_s3_take_entry(aws_s3_objects *it, aws_s3_summary *summary)
{
    if (it->order != 1 && it->again)
        return 0;
    it->key[it->length] = 0;
    summary->key = it->key;
    if (it->key != it->last) {
        if (it->again && strcmp(it->key, it->last) <= 0)
            return 0;
        it->key = it->last;
        it->last = (char *)(uintptr_t)summary->key;
    }
    summary->key_length = it->length;
    summary->is_prefix = it->is_prefix;
    aws_i_s3_fields(it->texts[0], summary);
    return 1;
}

/* ---- Asking for a page ---- */

/* Send the request for a page and read the answer's head. */
static int aws_i_s3_ask(aws_s3_objects *it)
{
    aws_client *client = it->client;
    aws_call call;
    int r;

    if (!it->by_token && it->last != it->keys[0]) /* where the request has it */
        memcpy(it->keys[0], it->keys[1], AWS_S3_KEY);
    it->last = it->keys[0];
    it->key = it->keys[1];
    it->in_entry = it->escape = 0;
    it->seen = 0;
    memset(it->texts, 0, AWS_I_S3_T_SIZE);
    memset(&call, 0, sizeof call);
    call.operation = it->kind->operation;
    call.method = aws_i_s3_text_get;
    call.bucket = it->bucket;
    call.flags = AWS_CALL_READ | AWS_CALL_XML;
    call.timeout = it->timeout;
    call.emit_context = it; /* tells iterators apart */
    r = aws_call_enter(client, &call);
    if (r > 0) {
        aws_i_s3_add_query(client, it->kind->query);
        if (!aws_i_s3_ask_paging(it, AWS_I_S3_P_QUERY, NULL) && *it->after)
            aws_call_query(client, "start-after", it->after); /* read when it is sent */
        if (it->prefix)
            aws_call_query(client, aws_i_s3_text_prefix, it->prefix);
        aws_call_page(client, it->kind->max, it->max_keys);
    }
    if (r >= 0)
        r = aws_call_run(client);
    if (r == AWS_AGAIN || r == AWS_ERR_BUSY)
        return r;
    if (r < 0)
        return aws_i_s3_listed(it, r);
    aws_call_own(client, it, it->paging);
    it->state = AWS_I_S3_PAGE;
    return 0;
}

/* A page is complete: is there another one? 0 or an error. */
static int aws_i_s3_next_page(aws_s3_objects *it)
{
    if (it->texts[0][0] != 't') /* "true" */
        return aws_i_s3_listed(it, 0);
    it->state = AWS_I_S3_ASK;
    it->again &= it->by_token; /* plain: after the last key there is nothing again */
    if (it->paging)
        return it->paging(it, AWS_I_S3_P_NEXT, NULL);
    return it->seen ? 0 : aws_i_s3_list_failed(it, AWS_REASON_PAGING);
}

/* A page broke off. What was returned already isn't again. */
static int aws_i_s3_lost(aws_s3_objects *it, void *retried)
{
    it->state = AWS_I_S3_ASK;
    it->again = 1; /* a retry has the same start-after, or still none */
    return aws_i_s3_ask_paging(it, AWS_I_S3_P_LOST, retried);
}

AWS_API int aws_s3_objects_next(aws_s3_objects *it, aws_s3_summary *summary)
{
    int r;

    do {
        if ((r = aws_i_s3_ask_paging(it, AWS_I_S3_P_KEPT, summary)) != 0)
            return r;
        if (it->state == AWS_I_S3_ENDED)
            return it->result;
        if (it->state == AWS_I_S3_NEXT) {
            r = aws_i_s3_next_page(it);
        } else if (it->state == AWS_I_S3_ASK) {
            r = aws_i_s3_ask(it);
        } else if (!aws_call_owned(it->client, it)) { /* cancelled */
            r = aws_i_s3_lost(it, NULL);
        } else if ((r = aws_i_s3_read_entry(it)) > 0) {
            r = aws_i_s3_take_entry(it, summary);
        } else if (r == 0) {
            it->state = AWS_I_S3_NEXT;
        } else if (r != AWS_AGAIN) { /* perhaps another attempt */
            r = aws_call_again(it->client, r);
            r = r < 0 ? aws_i_s3_listed(it, r) : aws_i_s3_lost(it, it);
        }
    } while (!r);
    return r;
}

AWS_API int aws_s3_objects_end(aws_s3_objects *it)
{
    int r = 0;

    if (it->state == AWS_I_S3_PAGE && aws_call_owned(it->client, it))
        r = aws_call_drop(it->client);
    if (r != AWS_AGAIN) {
        aws_i_s3_listed(it, 0);
        it->page_start = it->page_end = 0;
    }
    return r;
}

/* ---- Paging: only in programs that name aws_s3_paging ---- */

/* How a listing goes on: plain ones after the last key, whatever happened in between. With a
 * delimiter servers mix keys and prefixes differently: these go on by token, and of an interrupted
 * page that is asked again what isn't after the last key or the last prefix is passed over - not
 * so many entries, since the caller may have deleted some. Directory buckets have no order. */

static int aws_i_s3_begin_paging(aws_s3_objects *it, const aws_s3_args *args)
{
    it->ceiling = it->max_keys;
    if (args) {
        it->delimiter = args->delimiter;
        it->page = (unsigned char *)args->page;
        it->page_size = args->page ? args->page_size : 0;
    }
    it->by_token = it->unordered || it->delimiter || !it->bucket;
    if (it->by_token) { /* the keys are cursors then */
        it->after = args && args->start_after ? args->start_after : "";
        it->keys[0][0] = 0;
    }
    return 0;
}

AWS_API int aws_s3_buckets_begin(aws_s3_objects *it, aws_client *client, const aws_s3_args *args)
{
    static const struct aws_i_s3_kind kind = {
        "ListBuckets", "max-buckets", "",
        "\6Bucket\1-\1-\4Name\1-\14CreationDate"};

    aws_i_s3_begin(it, client, NULL, args);
    it->kind = &kind;
    it->deep = 1; /* Buckets/Bucket */
    it->max_keys = args ? args->max_buckets : 0;
    it->paging = aws_s3_paging;
    aws_i_s3_begin_paging(it, args);
    it->after = "";
    return 0;
}

/* The field of an element that only these listings have. */
static int aws_i_s3_paging_name(aws_s3_objects *it, const aws_xml *xml)
{
    static const char names[] = "\25NextContinuationToken\6Prefix\16CommonPrefixes";
    static const char of_buckets[] = "\21ContinuationToken";

    switch (aws_i_s3_find(it->bucket ? names : of_buckets, xml)) {
    case 1:
        it->next_token = 0;
        if (!it->bucket)
            it->texts[it->saving][0] = 't'; /* nothing else says that there are more */
        return AWS_I_S3_F_TOKEN;
    case 2:
        return AWS_I_S3_F_KEY;
    case 3:
        it->is_prefix = 2; /* the entry that begins will be one */
        return AWS_I_S3_F_ENTRY;
    default:
        return AWS_I_S3_F_NONE;
    }
}

/* The next page's token lies behind this page's, which a retry sends again. */
static size_t aws_i_s3_token_place(const aws_s3_objects *it)
{
    return it->this_token ? it->this_token + 1 : 0;
}

static int aws_i_s3_token_text(aws_s3_objects *it, const aws_xml *xml)
{
    size_t used = aws_i_s3_token_place(it) + it->next_token;

    if (used + xml->text_size >= AWS_S3_TOKENS) {
        it->token_lost = 1;
    } else {
        aws_i_s3_set(it->tokens + used, xml->text, xml->text_size);
        it->next_token += xml->text_size;
    }
    return 0;
}

/* An entry kept in page memory: two numbers, the text of key, etag and class. The numbers are the
 * size with the etag's length above it, and the time with the class's length, whether it is a
 * prefix, and the key's length. */
enum { AWS_I_S3_KEPT = 2 * sizeof(uint64_t) };

/* The last entry of that kind that was returned. */
static char *aws_i_s3_cursor(aws_s3_objects *it, int is_prefix)
{
    return it->by_token ? it->keys[is_prefix] : it->last;
}

/* An entry begins. Where its key goes: plain listings read it aside. Others read over the cursor:
 * as long as both are equal nothing changes, and a smaller one isn't stored. What is saved goes to
 * page memory at once. */
static int aws_i_s3_paging_entry(aws_s3_objects *it)
{
    size_t used = it->page_end + AWS_I_S3_KEPT, left;

    it->is_prefix >>= 1;
    it->order = !it->by_token && !it->again; /* 1: whatever comes is new */
    if (it->by_token)
        it->key = it->last = it->keys[it->is_prefix];
    if (!it->saving)
        return 0;
    if (!it->page_size)
        return AWS_ERR_MEMORY; /* there is more, and nowhere to keep it */
    left = used < it->page_size ? it->page_size - used : 0;
    if (left < it->room)
        it->room = left;
    it->key = (char *)it->page + (left ? used : 0);
    return 0;
}

/* A byte of a key is compared with the cursor: order is 0 while they are equal, 1 once the key is
 * greater, 2 if it is smaller and passed over, since the page is asked for again. */
static int aws_i_s3_compare(aws_s3_objects *it, unsigned char c)
{
    if (!it->order) {
        unsigned char last = (unsigned char)it->last[it->length];
        if (c != last)
            it->order = c > last || !it->again ? 1 : 2;
    }
    return it->order != 2 || it->key != it->last;
}

/* The entry being read is complete and goes to page memory; 0 if it doesn't fit. */
static int aws_i_s3_keep(aws_s3_objects *it)
{
    unsigned char *entry = it->page + it->page_end;
    aws_s3_summary e;
    size_t etag, storage, size;
    uint64_t numbers[2];

    aws_i_s3_fields(it->texts[1], &e);
    etag = strlen(e.etag);
    storage = strlen(e.storage_class);
    size = AWS_I_S3_KEPT + it->length + etag + storage;
    if (size > it->page_size - it->page_end)
        return 0;
    numbers[0] = e.size << 8 >> 8 | (uint64_t)etag << 56;
    numbers[1] = ((uint64_t)e.last_modified & (((uint64_t)1 << 40) - 1)) |
                 (uint64_t)storage << 40 | (uint64_t)it->is_prefix << 47 |
                 (uint64_t)it->length << 48;
    memcpy(entry, numbers, sizeof numbers);
    entry += AWS_I_S3_KEPT + it->length;
    memcpy(entry, e.etag, etag);
    memcpy(entry + etag, e.storage_class, storage);
    it->page_end += size;
    it->kept++;
    return 1;
}

/* Take the next entry out of page memory. */
static int aws_i_s3_unkeep(aws_s3_objects *it, aws_s3_summary *summary)
{
    const unsigned char *text = it->page + it->page_start;
    char *key, *texts = it->texts[0];
    uint64_t numbers[2];
    size_t etag, storage;

    memcpy(numbers, text, sizeof numbers);
    etag = (size_t)(numbers[0] >> 56);
    storage = (size_t)(numbers[1] >> 40) & 0x7f;
    summary->is_prefix = numbers[1] >> 47 & 1;
    summary->key_length = (size_t)(numbers[1] >> 48);
    summary->size = numbers[0] << 8 >> 8;
    summary->last_modified = (int64_t)(numbers[1] & (((uint64_t)1 << 40) - 1));
    summary->key = key = aws_i_s3_cursor(it, summary->is_prefix);
    summary->etag = texts + AWS_I_S3_T_ETAG;
    summary->storage_class = texts + AWS_I_S3_T_CLASS;
    text += AWS_I_S3_KEPT;
    aws_i_s3_set(key, text, summary->key_length);
    text += summary->key_length;
    aws_i_s3_set(texts + AWS_I_S3_T_ETAG, text, etag);
    aws_i_s3_set(texts + AWS_I_S3_T_CLASS, text + etag, storage);
    it->page_start += AWS_I_S3_KEPT + summary->key_length + etag + storage;
    if (it->page_start == it->page_end)
        it->page_start = it->page_end = 0;
    return 1;
}

/* The page will be asked for again. A key that broke off in the middle has partly overwritten its
 * cursor, which becomes the greatest text below what was read: 0xff is in no key. */
static void aws_i_s3_break_page(aws_s3_objects *it)
{
    char *key = it->key;
    size_t last = it->length - 1;

    if (it->in_entry && key == it->last && it->order == 1 && it->length <= it->room) {
        key[last] = (char)(key[last] - 1);
        if (key[last] && it->length < AWS_S3_KEY - 1)
            key[++last] = (char)0xff;
        key[key[last] ? last + 1 : last] = 0;
    }
    it->in_entry = it->saving = 0;
    it->again = 1; /* by token from then on: a shorter page isn't the begin of a longer one */
    it->next_token = 0;
    it->state = AWS_I_S3_ASK;
}

/* Shorter pages after an interruption, longer ones while undisturbed. */
static void aws_i_s3_shorten(aws_s3_objects *it, unsigned keys)
{
    it->max_keys = keys ? keys : 1;
}

static void aws_i_s3_lengthen(aws_s3_objects *it)
{
    unsigned limit = it->ceiling ? it->ceiling : 1000;

    if (it->max_keys && !it->interrupted)
        it->max_keys = it->max_keys < limit / 2 ? it->max_keys * 2 : it->ceiling;
    it->interrupted = 0;
}

/* The stream is lost before the page's end: ask for what is left. */
static void aws_i_s3_interrupted(aws_s3_objects *it)
{
    aws_i_s3_break_page(it);
    if (it->unordered)
        it->unordered = 2; /* refused when it is asked for: now may be another call's time */
    if (it->by_token) { /* the same page again, up to one entry more */
        aws_i_s3_shorten(it, it->seen + 1);
    } else {
        aws_i_s3_shorten(it, it->page_size ? it->kept : 1);
        it->this_token = 0;
    }
    it->kept = 0;
}

/* Another call wants the connection: keep the rest of the page as far as there is memory. */
static int aws_i_s3_save(aws_s3_objects *it)
{
    int r = 1;

    if (it->state != AWS_I_S3_PAGE)
        return 0;
    it->interrupted = 1;
    if (!it->saving && it->in_entry) /* in the middle of one */
        r = AWS_ERR_MEMORY;
    else if (!it->saving) /* what is known of the page */
        memcpy(it->texts[1], it->texts[0], AWS_I_S3_T_SIZE);
    it->saving = r > 0;
    while (r > 0) {
        r = aws_i_s3_read_entry(it);
        if (r > 0 && (it->order == 1 || !it->again) && !aws_i_s3_keep(it)) {
            it->seen--;
            r = AWS_ERR_MEMORY;
        }
    }
    if (r == AWS_AGAIN)
        return r;
    if (r != 0) {
        aws_i_s3_interrupted(it);
    } else {
        memcpy(it->texts[0], it->texts[1], AWS_I_S3_T_SIZE);
        it->saving = 0;
        it->state = AWS_I_S3_NEXT;
    }
    return 0;
}

static int aws_i_s3_paging_kept(aws_s3_objects *it, aws_s3_summary *summary)
{
    int r = 0;

    if (it->saving && it->state == AWS_I_S3_PAGE) { /* the other call hasn't ended */
        if (!aws_call_owned(it->client, it))
            aws_i_s3_interrupted(it);
        else
            r = aws_i_s3_save(it);
    }
    return r || it->page_start == it->page_end ? r : aws_i_s3_unkeep(it, summary);
}

/* The next page begins at next_token. 0 or an error. */
static int aws_i_s3_next_token(aws_s3_objects *it)
{
    size_t size = it->this_token, place = aws_i_s3_token_place(it);

    if (it->token_lost)
        return aws_i_s3_list_failed(it, AWS_REASON_TOKEN_LENGTH);
    if (!it->next_token && !it->bucket)
        return aws_i_s3_listed(it, 0);
    if (!it->next_token ||
        (size == it->next_token && memcmp(it->tokens, it->tokens + place, size) == 0))
        return aws_i_s3_list_failed(it, AWS_REASON_TOKEN);
    memmove(it->tokens, it->tokens + place, it->next_token + 1);
    it->this_token = it->next_token;
    return 0;
}

static int aws_i_s3_paging_next(aws_s3_objects *it)
{
    int r = 0;

    if (it->by_token || !it->seen)
        r = aws_i_s3_next_token(it);
    else
        it->this_token = 0;
    it->next_token = 0;
    it->kept = 0;
    aws_i_s3_lengthen(it);
    return r;
}

static int aws_i_s3_paging_query(aws_s3_objects *it)
{
    if (it->unordered == 2)
        aws_call_refuse(it->client, AWS_REASON_UNORDERED, NULL);
    if (it->delimiter)
        aws_call_query(it->client, "delimiter", it->delimiter);
    if (it->this_token)
        aws_call_query(it->client, "continuation-token", it->tokens);
    return it->this_token != 0;
}

static int aws_i_s3_paging_lost(aws_s3_objects *it, int retried)
{
    if (!retried) {
        aws_i_s3_interrupted(it);
    } else {
        aws_i_s3_break_page(it);
        if (it->unordered) {
            aws_client_cancel(it->client);
            return aws_i_s3_list_failed(it, AWS_REASON_UNORDERED);
        }
    }
    return 0;
}

AWS_API int aws_s3_paging(void *iterator, int step, void *data)
{
    aws_s3_objects *it = (aws_s3_objects *)iterator;

    switch (step) {
    case AWS_I_S3_P_SAVE:
        return aws_i_s3_save(it);
    case AWS_I_S3_P_BEGIN:
        return aws_i_s3_begin_paging(it, (const aws_s3_args *)data);
    case AWS_I_S3_P_NAME:
        return aws_i_s3_paging_name(it, (const aws_xml *)data);
    case AWS_I_S3_P_TEXT:
        return aws_i_s3_token_text(it, (const aws_xml *)data);
    case AWS_I_S3_P_ENTRY:
        return aws_i_s3_paging_entry(it);
    case AWS_I_S3_P_KEPT:
        return aws_i_s3_paging_kept(it, (aws_s3_summary *)data);
    case AWS_I_S3_P_NEXT:
        return aws_i_s3_paging_next(it);
    case AWS_I_S3_P_QUERY:
        return aws_i_s3_paging_query(it);
    case AWS_I_S3_P_LOST:
        return aws_i_s3_paging_lost(it, data != NULL);
    default:
        return aws_i_s3_compare(it, (unsigned char)step);
    }
}

/* ---- Versions, uploads and parts ---- */

/* These go on after the last entry that was returned, by its names, whatever came in between: an
 * entry is read aside, so that a cut leaves the last one as it was. */

typedef struct aws_i_s3_listing {
    const char *operation, *query; /* query: a name of its own, "" none */
    const char *entries;           /* elements, the delete marker second */
    const char *key_marker, *id_marker, *max;
    int         encoded; /* keys are asked for percent-encoded; RGW encodes those of uploads without
                          * saying so, which can't be told from a key that looks like it */
} aws_i_s3_listing;

/* Fields: the first five are texts, in the order of places. */
enum {
    AWS_I_S3_E_KEY,
    AWS_I_S3_E_ID,
    AWS_I_S3_E_ETAG,
    AWS_I_S3_E_CLASS,
    AWS_I_S3_E_CHECKSUM,
    AWS_I_S3_E_NUMBER,
    AWS_I_S3_E_SIZE,
    AWS_I_S3_E_MODIFIED,
    AWS_I_S3_E_LATEST,
    AWS_I_S3_E_TRUNCATED,
    AWS_I_S3_E_ENCODING,
    AWS_I_S3_E_NONE
};

/* The place of name in a list, -1 none. */
static int aws_i_s3_place(const char *list, const char *name)
{
    int i;

    for (i = 0; *list; list += strlen(list) + 1, i++)
        if (strcmp(list, name) == 0)
            return i;
    return -1;
}

static char *aws_i_s3_half(const aws_i_s3_reader *rd, unsigned half)
{
    return rd->text + half * rd->room;
}

static const char *aws_i_s3_last(const aws_i_s3_reader *rd, int field)
{
    unsigned last = rd->half ^ 1u;

    return aws_i_s3_half(rd, last) + rd->places[last][field];
}

static unsigned char aws_i_s3_entry_field(const aws_i_s3_reader *rd, const char *name)
{
    static const char names[] = "Key\0VersionId\0UploadId\0ETag\0StorageClass\0PartNumber\0Size\0"
                                "LastModified\0Initiated\0IsLatest\0";
    static const unsigned char fields[] = {
        AWS_I_S3_E_KEY,  AWS_I_S3_E_ID,       AWS_I_S3_E_ID,       AWS_I_S3_E_ETAG,
        AWS_I_S3_E_CLASS, AWS_I_S3_E_NUMBER,  AWS_I_S3_E_SIZE,     AWS_I_S3_E_MODIFIED,
        AWS_I_S3_E_MODIFIED, AWS_I_S3_E_LATEST};
    int place = aws_i_s3_place(names, name);

    if (place >= 0)
        return fields[place];
    if (rd->upload_id && strncmp(name, "Checksum", 8) == 0 && strcmp(name + 8, "Type") != 0)
        return AWS_I_S3_E_CHECKSUM;
    return AWS_I_S3_E_NONE;
}

static void aws_i_s3_entry_start(aws_i_s3_reader *rd, const aws_xml *xml)
{
    const char *name = xml->path + xml->starts[xml->depth - 1];
    int place;

    rd->field = AWS_I_S3_E_NONE;
    rd->value[0] = 0;
    rd->escape = 0;
    if (xml->depth == 3 && rd->in_entry) {
        rd->field = aws_i_s3_entry_field(rd, name);
        if (rd->field <= AWS_I_S3_E_CHECKSUM)
            rd->places[rd->half][rd->field] = (uint16_t)rd->used;
    } else if (xml->depth == 2) {
        place = aws_i_s3_place(rd->listing->entries, name);
        rd->in_entry = place >= 0;
        rd->marker = place == 1;
        rd->latest = 0;
        rd->number = 0;
        rd->size = 0;
        rd->modified = 0;
        rd->used = 1; /* 0 is the empty text */
        memset(rd->places[rd->half], 0, sizeof rd->places[0]);
        if (place < 0 && strcmp(name, "IsTruncated") == 0)
            rd->field = AWS_I_S3_E_TRUNCATED;
        else if (place < 0 && strcmp(name, "EncodingType") == 0)
            rd->field = AWS_I_S3_E_ENCODING;
    }
}

/* A piece of a field's text. 0 or an error. */
static int aws_i_s3_entry_text(aws_i_s3_reader *rd, const char *text, size_t size)
{
    char *to = aws_i_s3_half(rd, rd->half);
    size_t used = strlen(rd->value);
    int c;

    if (rd->field > AWS_I_S3_E_CHECKSUM) {
        if (size > sizeof rd->value - 1 - used)
            size = sizeof rd->value - 1 - used;
        memcpy(rd->value + used, text, size);
        rd->value[used + size] = 0;
        return 0;
    }
    for (; size; size--) {
        c = (unsigned char)*text++;
        if (rd->field == AWS_I_S3_E_KEY && rd->encoded &&
            (c = aws_i_s3_unescape(&rd->escape, c)) < 0)
            return c;
        if (c && rd->used + 1 >= rd->room)
            return AWS_ERR_TOO_BIG;
        if (c)
            to[rd->used++] = (char)c;
    }
    return 0;
}

static int aws_i_s3_entry_field_ended(aws_i_s3_reader *rd)
{
    char *text = aws_i_s3_half(rd, rd->half);
    unsigned field = rd->field;

    rd->field = AWS_I_S3_E_NONE;
    switch (field) {
    case AWS_I_S3_E_NUMBER:
        rd->number = (unsigned)aws_i_s3_decimal(rd->value);
        return 0;
    case AWS_I_S3_E_SIZE:
        rd->size = aws_i_s3_decimal(rd->value);
        return 0;
    case AWS_I_S3_E_MODIFIED:
        rd->modified = aws_date_parse(rd->value);
        return 0;
    case AWS_I_S3_E_LATEST:
        rd->latest = strcmp(rd->value, aws_i_s3_text_true) == 0;
        return 0;
    case AWS_I_S3_E_TRUNCATED:
        rd->truncated = strcmp(rd->value, aws_i_s3_text_true) == 0;
        return 0;
    case AWS_I_S3_E_ENCODING:
        rd->encoded = strcmp(rd->value, "url") == 0;
        return 0;
    default:
        if (rd->used == rd->room) /* an empty text after those that filled it */
            return AWS_ERR_TOO_BIG;
        text[rd->used++] = 0;
        return rd->escape ? AWS_ERR_PROTOCOL : 0;
    }
}

/* Read on to the next entry: 1, 0 at the end of the page, AWS_AGAIN or an error. */
static int aws_i_s3_read_page(aws_i_s3_reader *rd)
{
    aws_xml *xml;
    int event, r = 0;

    while ((event = aws_call_xml(rd->client, &xml)) > 0) {
        if (event == AWS_XML_START) {
            aws_i_s3_entry_start(rd, xml);
        } else if (event == AWS_XML_TEXT) {
            if (rd->field != AWS_I_S3_E_NONE)
                r = aws_i_s3_entry_text(rd, xml->text, xml->text_size);
        } else if (rd->field != AWS_I_S3_E_NONE) {
            r = aws_i_s3_entry_field_ended(rd);
        } else if (rd->in_entry && xml->depth == 2) {
            rd->in_entry = 0;
            return 1;
        }
        if (r < 0)
            return r;
    }
    return event;
}

static int aws_i_s3_reader_failed(aws_i_s3_reader *rd, int code)
{
    rd->state = AWS_I_S3_ENDED;
    return rd->result = code;
}

/* Another call wants the connection: the rest of the page is asked for again, in small pages. */
static int aws_i_s3_reader_save(void *owner, int step, void *data)
{
    aws_i_s3_reader *rd = (aws_i_s3_reader *)owner;

    (void)step;
    (void)data;
    if (rd->state == AWS_I_S3_PAGE) {
        rd->state = AWS_I_S3_NEXT;
        rd->cut = rd->interrupted = 1;
        rd->max = 1;
    }
    return 0;
}

static void aws_i_s3_reader_query(aws_i_s3_reader *rd)
{
    const aws_i_s3_listing *l = rd->listing;
    aws_client *client = rd->client;

    if (*l->query)
        aws_call_query(client, l->query, NULL);
    if (rd->upload_id)
        aws_call_query(client, "uploadId", rd->upload_id);
    if (l->encoded)
        aws_call_query(client, aws_i_s3_text_encoding, "url");
    if (rd->prefix)
        aws_call_query(client, aws_i_s3_text_prefix, rd->prefix);
    if (rd->last_number)
        aws_call_query_number(client, l->key_marker, rd->last_number);
    if (*aws_i_s3_last(rd, AWS_I_S3_E_KEY)) {
        aws_call_query(client, l->key_marker, aws_i_s3_last(rd, AWS_I_S3_E_KEY));
        if (*aws_i_s3_last(rd, AWS_I_S3_E_ID))
            aws_call_query(client, l->id_marker, aws_i_s3_last(rd, AWS_I_S3_E_ID));
    }
    aws_call_page(client, l->max, rd->max);
}

static int aws_i_s3_reader_ask(aws_i_s3_reader *rd)
{
    aws_call call;
    int r;

    memset(&call, 0, sizeof call);
    call.operation = rd->listing->operation;
    call.method = aws_i_s3_text_get;
    call.bucket = rd->bucket;
    call.key = rd->key;
    call.flags = AWS_CALL_READ | AWS_CALL_XML;
    call.timeout = rd->timeout;
    call.emit_context = rd; /* tells readers apart */
    r = aws_call_enter(rd->client, &call);
    if (r > 0) {
        if (!rd->bucket || !*rd->bucket)
            aws_call_refuse(rd->client, AWS_REASON_NO_BUCKET, NULL);
        aws_i_s3_reader_query(rd);
    }
    if (r >= 0)
        r = aws_call_run(rd->client);
    if (r == AWS_AGAIN || r == AWS_ERR_BUSY)
        return r;
    if (r < 0)
        return aws_i_s3_reader_failed(rd, r);
    aws_call_own(rd->client, rd, aws_i_s3_reader_save);
    rd->asked = 1;
    rd->state = AWS_I_S3_PAGE;
    return 0;
}

/* After a page: is there another one? A page that begins as the one before did, or has nothing,
 * and says that there is more, would never end. */
static int aws_i_s3_reader_more(aws_i_s3_reader *rd)
{
    unsigned limit = rd->ceiling ? rd->ceiling : 1000;

    if (rd->asked && !rd->cut && !rd->truncated) {
        rd->state = AWS_I_S3_ENDED;
        return 0;
    }
    if (rd->asked && !rd->cut && !rd->seen)
        return aws_i_s3_reader_failed(rd, aws_call_failed(rd->client, AWS_REASON_TOKEN));
    if (rd->max && !rd->interrupted)
        rd->max = rd->max < limit / 2 ? rd->max * 2 : rd->ceiling;
    rd->seen = 0;
    rd->cut = rd->interrupted = rd->truncated = rd->encoded = rd->in_entry = 0;
    rd->field = AWS_I_S3_E_NONE;
    rd->state = AWS_I_S3_ASK;
    return 0;
}

/* An entry is complete: it becomes the last one. 1 or an error. */
static int aws_i_s3_reader_take(aws_i_s3_reader *rd)
{
    const char *text = aws_i_s3_half(rd, rd->half);
    uint32_t hash = 2166136261u ^ rd->number;
    size_t i;

    for (i = 0; i < rd->used; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    if (!rd->seen++) {
        if (rd->first == hash || (rd->upload_id && rd->number <= rd->last_number))
            return aws_i_s3_reader_failed(rd, aws_call_failed(rd->client, AWS_REASON_TOKEN));
        rd->first = hash;
    }
    rd->last_number = rd->number;
    rd->half ^= 1;
    rd->cuts = 0;
    return 1;
}

/* A page broke off: if there is an attempt left, a new request goes on after what was returned. */
static int aws_i_s3_reader_cut(aws_i_s3_reader *rd, int code)
{
    enum { MOST = 3 }; /* without an entry */
    aws_failure failure = *aws_client_failure(rd->client);
    int r = aws_call_again(rd->client, code);

    if (r == 0) {
        aws_client_cancel(rd->client);
        if (rd->cuts++ == MOST) {
            aws_call_keep(rd->client, &failure);
            r = code;
        }
    }
    rd->cut = 1;
    rd->state = AWS_I_S3_NEXT;
    return r < 0 ? aws_i_s3_reader_failed(rd, r) : 0;
}

static int aws_i_s3_reader_next(aws_i_s3_reader *rd)
{
    int r;

    for (;;) {
        if (rd->state == AWS_I_S3_ENDED)
            return rd->result;
        r = 0;
        if (rd->state == AWS_I_S3_NEXT) {
            r = aws_i_s3_reader_more(rd);
        } else if (rd->state == AWS_I_S3_ASK) {
            r = aws_i_s3_reader_ask(rd);
        } else if (!aws_call_owned(rd->client, rd)) { /* cancelled */
            aws_i_s3_reader_save(rd, 0, NULL);
        } else if ((r = aws_i_s3_read_page(rd)) > 0) {
            r = aws_i_s3_reader_take(rd);
        } else if (r == 0) {
            rd->state = AWS_I_S3_NEXT;
        } else if (r != AWS_AGAIN) {
            r = aws_i_s3_reader_cut(rd, r);
        }
        if (r)
            return r;
    }
}

static void aws_i_s3_reader_init(aws_i_s3_reader *rd, const aws_i_s3_listing *listing,
                                 aws_client *client, const char *bucket, char *text, size_t room)
{
    memset(rd, 0, sizeof *rd);
    rd->listing = listing;
    rd->client = client;
    rd->bucket = bucket;
    rd->text = text;
    rd->room = room;
    rd->state = AWS_I_S3_NEXT;
    text[0] = text[room] = 0;
}

static int aws_i_s3_entries_begin(aws_s3_entries *it, const aws_i_s3_listing *listing,
                                  aws_client *client, const char *bucket, const aws_s3_args *args,
                                  unsigned max)
{
    aws_i_s3_reader_init(&it->reader, listing, client, bucket, it->text, AWS_S3_ENTRY);
    if (args) {
        it->reader.prefix = args->prefix;
        it->reader.timeout = args->timeout;
    }
    it->reader.max = it->reader.ceiling = max;
    return 0;
}

AWS_API int aws_s3_versions_begin(aws_s3_entries *it, const aws_s3_bucket *bucket,
                                  const aws_s3_args *args)
{
    static const aws_i_s3_listing listing = {
        "ListObjectVersions", "versions",          "Version\0DeleteMarker\0",
        "key-marker",         "version-id-marker", "max-keys", 1};

    return aws_i_s3_entries_begin(it, &listing, bucket->client, bucket->name, args,
                                  args ? args->max_keys : 0);
}

static const aws_i_s3_listing aws_i_s3_list_uploads = {
    "ListMultipartUploads", "uploads",          "Upload\0",
    "key-marker",           "upload-id-marker", "max-uploads", 0};

AWS_API int aws_s3_uploads_begin(aws_s3_entries *it, const aws_s3_bucket *bucket,
                                 const aws_s3_args *args)
{
    return aws_i_s3_entries_begin(it, &aws_i_s3_list_uploads, bucket->client, bucket->name, args,
                                  args ? args->max_uploads : 0);
}

static const aws_i_s3_listing aws_i_s3_list_parts = {
    "ListParts", "", "Part\0", "part-number-marker", "", "max-parts", 0};

AWS_API int aws_s3_parts_begin(aws_s3_entries *it, const aws_s3_object *object,
                               const char *upload_id, const aws_s3_args *args)
{
    int r = aws_i_s3_entries_begin(it, &aws_i_s3_list_parts, object->client, object->bucket, args,
                                   args ? args->max_parts : 0);

    it->reader.prefix = NULL;
    it->reader.key = object->key ? object->key : "";
    it->reader.upload_id = upload_id ? upload_id : "";
    return r;
}

static void aws_i_s3_entry_of(const aws_i_s3_reader *rd, aws_s3_entry *entry)
{
    entry->key = aws_i_s3_last(rd, AWS_I_S3_E_KEY);
    entry->id = aws_i_s3_last(rd, AWS_I_S3_E_ID);
    entry->etag = aws_i_s3_last(rd, AWS_I_S3_E_ETAG);
    entry->storage_class = aws_i_s3_last(rd, AWS_I_S3_E_CLASS);
    entry->checksum = aws_i_s3_last(rd, AWS_I_S3_E_CHECKSUM);
    entry->part_number = rd->number;
    entry->size = rd->size;
    entry->last_modified = rd->modified;
    entry->is_latest = rd->latest;
    entry->is_delete_marker = rd->marker;
}

AWS_API int aws_s3_entries_next(aws_s3_entries *it, aws_s3_entry *entry)
{
    int r = aws_i_s3_reader_next(&it->reader);

    if (r > 0)
        aws_i_s3_entry_of(&it->reader, entry);
    return r;
}

AWS_API int aws_s3_entries_end(aws_s3_entries *it)
{
    aws_i_s3_reader *rd = &it->reader;
    int r = 0;

    if (rd->state == AWS_I_S3_PAGE && aws_call_owned(rd->client, rd))
        r = aws_call_drop(rd->client);
    if (r != AWS_AGAIN) {
        rd->state = AWS_I_S3_ENDED;
        rd->result = 0;
    }
    return r;
}

/* ---- Batches ---- */

enum { AWS_I_S3_BATCH_LEAST = 4000, AWS_I_S3_BATCH_TEXT = 2 * AWS_S3_ENTRY };

static int aws_i_s3_next_object(void *it, aws_s3_key *key)
{
    aws_s3_summary object;
    int r;

    do
        r = aws_s3_objects_next((aws_s3_objects *)it, &object);
    while (r > 0 && object.is_prefix);
    if (r > 0) {
        key->key = object.key;
        key->version_id = NULL;
    }
    return r;
}

static int aws_i_s3_next_version(void *it, aws_s3_key *key)
{
    aws_s3_entry version;
    int r = aws_s3_entries_next((aws_s3_entries *)it, &version);

    if (r > 0) {
        key->key = version.key;
        key->version_id = version.id;
    }
    return r;
}

static int aws_i_s3_batch_begin(aws_s3_batch *b, void *memory, size_t size)
{
    size_t off = memory ? (size_t)((uintptr_t)memory % sizeof(void *)) : 0;

    off = off ? sizeof(void *) - off : 0;
    b->memory = (unsigned char *)memory + off;
    b->keys = (aws_s3_key *)(void *)b->memory;
    b->size = b->used = size - off;
    if (!memory || size < AWS_I_S3_BATCH_LEAST)
        b->result = aws_call_failed(b->client, AWS_REASON_BATCH_MEMORY);
    return b->result;
}

AWS_API int aws_s3_batch_objects(aws_s3_batch *batch, aws_s3_objects *it, void *memory,
                                 size_t size)
{
    memset(batch, 0, sizeof *batch);
    batch->it = it;
    batch->next = aws_i_s3_next_object;
    batch->client = it->client;
    batch->bucket = it->bucket;
    it->paging = aws_s3_paging; /* between two batches it deletes */
    it->ceiling = it->max_keys;
    return aws_i_s3_batch_begin(batch, memory, size);
}

AWS_API int aws_s3_batch_versions(aws_s3_batch *batch, aws_s3_entries *it, void *memory,
                                  size_t size)
{
    memset(batch, 0, sizeof *batch);
    batch->it = it;
    batch->next = aws_i_s3_next_version;
    batch->client = it->reader.client;
    batch->bucket = it->reader.bucket;
    return aws_i_s3_batch_begin(batch, memory, size);
}

static const char *aws_i_s3_batch_text(aws_s3_batch *b, const char *text)
{
    size_t size = strlen(text) + 1;

    b->used -= size;
    memcpy(b->memory + b->used, text, size);
    return (const char *)b->memory + b->used;
}

/* Gather keys while the longest would fit: 1 there are some, 0 none are left. */
static int aws_i_s3_batch_fill(aws_s3_batch *b)
{
    aws_s3_key key;
    int r;

    while (b->count < 1000 &&
           b->used - b->count * sizeof key >= sizeof key + AWS_I_S3_BATCH_TEXT) {
        if ((r = b->next(b->it, &key)) < 0)
            return r;
        if (r == 0)
            break;
        b->keys[b->count].key = aws_i_s3_batch_text(b, key.key);
        b->keys[b->count++].version_id =
            key.version_id ? aws_i_s3_batch_text(b, key.version_id) : NULL;
    }
    return b->count != 0;
}

AWS_API int aws_s3_batch_delete(aws_s3_batch *b)
{
    aws_s3_args a;
    int r;

    aws_i_s3_args(&a, NULL, b->bucket, NULL);
    while (!b->result) {
        if (!b->sending && (r = aws_i_s3_batch_fill(b)) <= 0) {
            if (r != AWS_AGAIN)
                b->result = r;
            return r;
        }
        b->sending = 1;
        a.objects = b->keys;
        a.object_count = b->count;
        a.quiet = 1;
        r = aws_s3_delete_objects(b->client, &a, NULL);
        if (r == AWS_AGAIN)
            return r;
        if (r == 0)
            b->deleted += (unsigned long)b->count;
        b->result = r;
        b->sending = 0;
        b->count = 0;
        b->used = b->size;
    }
    return b->result;
}

/* ---- Managed transfers ---- */

/* A transfer's state is the function that takes it further: 0 to go on at once, or AWS_AGAIN. What
 * a program doesn't begin (a copy, a download) is named by nothing and costs no flash. */

static const unsigned char aws_i_s3_create_members[] = {
    AWS_I_S3_STORED AWS_I_S3_M(checksum_algorithm) AWS_I_S3_M(checksum_type) 0};
static const unsigned char aws_i_s3_put_members[] = {
    AWS_I_S3_STORED AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match) AWS_I_S3_SUMS 0};
static const unsigned char aws_i_s3_part_members[] = {AWS_I_S3_SSEC AWS_I_S3_PAYER 0};
static const unsigned char aws_i_s3_complete_members[] = {
    AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match) AWS_I_S3_M(checksum_type) AWS_I_S3_SUMS
        AWS_I_S3_SSEC AWS_I_S3_PAYER 0};
static const unsigned char aws_i_s3_abort_members[] = {AWS_I_S3_PAYER 0};
static const unsigned char aws_i_s3_get_members[] = {AWS_I_S3_READ 0};

enum {
    AWS_I_S3_MORE_ROOM = 12,
    AWS_I_S3_CUTS = 5,
    AWS_I_S3_WINDOW = 64,
    AWS_I_S3_PARTS = 10000,
    AWS_I_S3_RECORD_HEAD = 56, /* of a checkpoint: before its texts */
    AWS_I_S3_TEXT_ROOM = AWS_S3_CHECKPOINT - AWS_I_S3_RECORD_HEAD
};

/* The arguments of one request: of the caller's members those that it has. */
typedef struct aws_i_s3_request {
    aws_s3_args args;
    aws_s3_more more[AWS_I_S3_MORE_ROOM + 2];
} aws_i_s3_request;

static void aws_i_s3_add_more(aws_i_s3_request *q, const aws_s3_member *member, const char *value)
{
    q->more[q->args.more_count].member = member;
    q->more[q->args.more_count++].value = value;
}

static void aws_i_s3_request_of(aws_i_s3_request *q, const aws_s3_transfer *t,
                                const unsigned char *members)
{
    const aws_s3_args *from = t->a.args;
    char *to = (char *)&q->args;
    const size_t each = sizeof from->key;
    size_t i, place;

    memset(q, 0, sizeof *q);
    q->args.bucket = t->object.bucket;
    q->args.key = t->object.key;
    q->args.more = q->more;
    if (!from)
        return;
    for (i = 0; i < AWS_I_S3_TEXTS; i++) {
        place = offsetof(aws_s3_args, cache_control) + i * each;
        if (strchr((const char *)members, (int)i + 1))
            memcpy(to + place, (const char *)from + place, each);
    }
    for (i = 0; i < from->more_count; i++)
        if (strchr((const char *)members, from->more[i].member->index))
            aws_i_s3_add_more(q, from->more[i].member, from->more[i].value);
    q->args.headers = from->headers;
    q->args.headers_count = from->headers_count;
    q->args.timeout = from->timeout;
}

static void aws_i_s3_add_metadata(aws_i_s3_request *q, const aws_s3_transfer *t)
{
    if (t->a.args) {
        q->args.metadata = t->a.args->metadata;
        q->args.metadata_count = t->a.args->metadata_count;
    }
}

static aws_s3_worker *aws_i_s3_workers(aws_s3_transfer *t, size_t *count)
{
    *count = t->a.worker_count ? t->a.worker_count : 1;
    return t->a.worker_count ? t->a.workers : &t->own;
}

/* The worker whose client makes the requests that aren't parts. */
static aws_s3_worker *aws_i_s3_first(aws_s3_transfer *t)
{
    return t->a.worker_count ? t->a.workers : &t->own;
}

static const char *aws_i_s3_etag(const aws_s3_transfer *t)
{
    return t->upload_id + strlen(t->upload_id) + 1;
}

/* ---- The end, good or bad ---- */

static int aws_i_s3_ended(aws_s3_transfer *t)
{
    size_t i, count;
    aws_s3_worker *w = aws_i_s3_workers(t, &count);

    for (i = 0; count > 1 && i < count; i++)
        aws_client_no_wait(w[i].client, 0);
    if (t->saved && (t->result == 0 || t->stale))
        (void)t->a.save(t->a.context, NULL, 0);
    t->state = NULL;
    return 0;
}

/* Whatever came between, t->u.failure is what the transfer failed with. */
static int aws_i_s3_end_failed(aws_s3_transfer *t)
{
    aws_call_keep(t->client, &t->u.failure);
    t->state = aws_i_s3_ended;
    return 0;
}

/* CompleteMultipartUpload may have been done although it failed: then the upload is gone, and the
 * object is as large as it should be, of as many parts, and not older than the upload. */
static int aws_i_s3_verify(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_i_s3_request q;
    aws_s3_result result;
    const char *dash;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_part_members);
    r = aws_s3_head_object(client, &q.args, &result);
    if (r == AWS_AGAIN)
        return r;
    t->state = aws_i_s3_end_failed;
    if (t->after && (r == 0 || aws_client_failure(client)->http_status == 404))
        t->state = t->after; /* unless it was done, it is begun anew */
    if (r < 0 || result.size != t->size || !result.etag || t->begun < 0)
        return 0;
    dash = strrchr(result.etag, '-');
    if (dash && aws_i_s3_decimal(dash + 1) == t->parts && result.last_modified >= t->begun - 2) {
        t->result = 0;
        t->state = aws_i_s3_ended;
    }
    return 0;
}

static int aws_i_s3_abort(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_i_s3_request q;
    int r, gone;

    aws_i_s3_request_of(&q, t, aws_i_s3_abort_members);
    q.args.upload_id = t->upload_id;
    r = aws_s3_abort_multipart_upload(client, &q.args, NULL);
    if (r == AWS_AGAIN)
        return r;
    gone = r == AWS_ERR_SERVICE && aws_client_failure(client)->http_status == 404;
    t->orphaned = r < 0 && !gone;
    t->state = gone && t->completing ? aws_i_s3_verify : aws_i_s3_end_failed;
    return 0;
}

/* The transfer fails with what client's last call failed with. Returns 0: there may be more to
 * do. */
static int aws_i_s3_failed(aws_s3_transfer *t, aws_client *client, int code)
{
    size_t i, count;
    aws_s3_worker *w = aws_i_s3_workers(t, &count);

    t->client = client;
    t->result = code;
    t->u.failure = *aws_client_failure(client);
    t->u.failure.needed += t->memory_needed;
    for (i = 0; i < count; i++)
        aws_client_cancel(w[i].client);
    t->state = t->uploading && (!t->saved || t->stale) ? aws_i_s3_abort : aws_i_s3_end_failed;
    return 0;
}

static int aws_i_s3_refused(aws_s3_transfer *t, aws_client *client, int reason)
{
    return aws_i_s3_failed(t, client, aws_call_failed(client, reason));
}

/* 412: the ETag isn't the one that it was. */
static int aws_i_s3_part_failed(aws_s3_transfer *t, aws_client *client, int code)
{
    if (code == AWS_ERR_SERVICE && aws_client_failure(client)->http_status == 412) {
        t->stale = 1;
        return aws_i_s3_refused(t, client, AWS_REASON_CHANGED);
    }
    return aws_i_s3_failed(t, client, code);
}

/* ---- Progress ---- */

static void aws_i_s3_moved(aws_s3_transfer *t)
{
    uint64_t done = t->done;
    size_t i, count;
    aws_s3_worker *w = aws_i_s3_workers(t, &count);

    for (i = 0; i < count; i++)
        done += w[i].part ? w[i].sent : 0;
    if (t->a.progress)
        t->a.progress(t->a.context, done, t->size);
}

static void aws_i_s3_part_progress(void *context, uint64_t done, uint64_t total)
{
    aws_s3_worker *w = (aws_s3_worker *)context;
    const aws_s3_transfer *t = w->transfer;

    (void)total;
    w->sent = (w->from - (w->part - 1) * t->part_size) + done;
    aws_i_s3_moved(w->transfer);
}

static void aws_i_s3_watch(aws_s3_worker *w, aws_s3_args *args)
{
    if (w->transfer->a.progress) {
        args->progress = aws_i_s3_part_progress;
        args->progress_context = w;
    }
}

/* ---- Parts ---- */

/* Where a part's ETag and checksum are kept: a byte, 0 not complete, 1 the ETag's 32 hex digits in
 * 16 bytes, 2 as text with a NUL; then the checksum's text with a NUL. */
static unsigned char *aws_i_s3_kept_part(const aws_s3_transfer *t, unsigned part)
{
    return (unsigned char *)t->a.memory + (size_t)(part - 1) * t->entry_size;
}

static int aws_i_s3_is_complete(const aws_s3_transfer *t, unsigned part)
{
    if (t->entry_size)
        return *aws_i_s3_kept_part(t, part) != 0;
    return part < t->base ||
           (part - t->base < AWS_I_S3_WINDOW && (t->window >> (part - t->base) & 1));
}

static uint64_t aws_i_s3_size_of_part(const aws_s3_transfer *t, unsigned part)
{
    uint64_t from = (part - 1) * t->part_size;

    return t->size - from < t->part_size ? t->size - from : t->part_size;
}

static void aws_i_s3_set_part(aws_s3_transfer *t, aws_s3_worker *w, unsigned part, uint64_t size)
{
    w->part = part;
    w->from = (part - 1) * t->part_size;
    w->size = size;
    w->place = w->sent = 0;
    w->cuts = w->wrong = 0;
}

/* The next part that isn't complete goes to a worker: 1, 0 there is none just now. */
static int aws_i_s3_take_part(aws_s3_transfer *t, aws_s3_worker *w)
{
    while (t->next <= t->parts && aws_i_s3_is_complete(t, t->next))
        t->next++;
    if (t->next > t->parts || (!t->entry_size && t->next - t->base >= AWS_I_S3_WINDOW))
        return 0;
    aws_i_s3_set_part(t, w, t->next, aws_i_s3_size_of_part(t, t->next));
    t->next++;
    return 1;
}

static void aws_i_s3_part_done(aws_s3_transfer *t, aws_s3_worker *w)
{
    t->done += aws_i_s3_size_of_part(t, w->part);
    t->complete++;
    if (!t->entry_size)
        t->window |= (uint64_t)1 << (w->part - t->base);
    for (; t->window & 1; t->window >>= 1)
        t->base++;
    w->part = 0;
    aws_i_s3_moved(t);
}

/* All workers take turns. */
static int aws_i_s3_move_parts(aws_s3_transfer *t)
{
    size_t i, count;
    aws_s3_worker *w = aws_i_s3_workers(t, &count);
    int moved = 0, r;

    for (i = 0; i < count; i++) {
        if (!w[i].part && !aws_i_s3_take_part(t, w + i))
            continue;
        r = t->call(t, w + i);
        if (r == AWS_AGAIN)
            continue;
        if (r < 0)
            return aws_i_s3_part_failed(t, w[i].client, r);
        moved = 1;
        if (r > 0)
            aws_i_s3_part_done(t, w + i);
        if (r > 0 && t->note && !t->entry_size && (r = t->note(t)) < 0)
            return aws_i_s3_failed(t, w[i].client, r);
    }
    if (t->complete == t->parts) {
        t->state = t->finish;
        return 0;
    }
    return moved ? 0 : AWS_AGAIN;
}

/* How many parts of part_size bytes there are, at most limit + 1. */
static unsigned aws_i_s3_count_parts(const aws_s3_transfer *t, unsigned limit)
{
    uint64_t left = t->size;
    unsigned parts = 0;

    for (; left && parts <= limit; parts++)
        left -= left < t->part_size ? left : t->part_size;
    return parts;
}

/* Cut the object into at most limit parts. 0, or the reason why that can't be. */
static int aws_i_s3_plan(aws_s3_transfer *t, unsigned limit)
{
    const uint64_t most = (uint64_t)5 << 30;
    uint64_t least = t->a.min_part_size ? t->a.min_part_size : (uint64_t)5 << 20;

    t->part_size = t->a.part_size ? t->a.part_size : (uint64_t)8 << 20;
    if (t->part_size < least)
        t->part_size = least;
    if (t->part_size > most)
        t->part_size = most;
    while ((t->parts = aws_i_s3_count_parts(t, limit)) > limit) {
        if (t->part_size == most)
            return limit == AWS_I_S3_PARTS ? AWS_REASON_OBJECT_SIZE : AWS_REASON_PART_MEMORY;
        t->part_size = t->part_size < most / 2 ? t->part_size * 2 : most;
    }
    t->next = t->base = 1;
    t->state = aws_i_s3_move_parts;
    return 0;
}

/* The same with memory for what is known of each part. */
static int aws_i_s3_plan_kept(aws_s3_transfer *t)
{
    size_t room = t->a.memory ? t->a.memory_size / AWS_S3_PART_MEMORY : 0;
    int reason = room ? aws_i_s3_plan(t, room < AWS_I_S3_PARTS ? (unsigned)room
                                                                  : (unsigned)AWS_I_S3_PARTS)
                      : AWS_REASON_PART_MEMORY;

    if (reason == AWS_REASON_PART_MEMORY)
        t->memory_needed = (size_t)AWS_S3_PART_MEMORY *
                           (aws_i_s3_plan(t, AWS_I_S3_PARTS) ? (unsigned)AWS_I_S3_PARTS : t->parts);
    if (reason)
        return reason;
    t->entry_size = t->a.memory_size / t->parts;
    if (t->entry_size > 255)
        t->entry_size = 255;
    memset(t->a.memory, 0, t->entry_size * t->parts);
    return 0;
}

static int aws_i_s3_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A part is complete: note its ETag and its checksum. 1, or an error. */
static int aws_i_s3_keep_part(aws_s3_transfer *t, aws_client *client, unsigned part,
                              const char *etag, const char *checksum)
{
    unsigned char *entry = aws_i_s3_kept_part(t, part), packed[16] = {0};
    size_t size, sum = checksum ? strlen(checksum) : 0, i;
    int kind = 1;

    if (!etag || !*etag)
        return aws_call_failed(client, AWS_REASON_NO_ETAG);
    etag += *etag == '"';
    size = strlen(etag);
    size -= size && etag[size - 1] == '"';
    for (i = 0; i < size && i < 32; i++) {
        int digit = aws_i_s3_digit(etag[i]);
        if (digit < 0)
            kind = 2;
        packed[i / 2] = (unsigned char)(packed[i / 2] << 4 | (digit & 15));
    }
    if (size != 32)
        kind = 2;
    i = (kind == 1 ? sizeof packed : size + 1) + sum + 2;
    if (i > t->entry_size) {
        t->memory_needed = i * t->parts;
        return aws_call_failed(client, AWS_REASON_PART_MEMORY);
    }
    *entry++ = (unsigned char)kind;
    memcpy(entry, kind == 1 ? (const char *)packed : etag, kind == 1 ? sizeof packed : size);
    entry += kind == 1 ? sizeof packed : size;
    if (kind == 2)
        *entry++ = 0;
    memcpy(entry, checksum ? checksum : "", sum + 1);
    return 1;
}

/* ---- Multipart uploads ---- */

/* One part of <CompleteMultipartUpload>. */
static void aws_i_s3_emit_kept_part(aws_out *out, const aws_s3_transfer *t, unsigned part)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *entry = aws_i_s3_kept_part(t, part);
    size_t i;

    aws_out_text(out, "<Part><ETag>&quot;");
    if (*entry++ == 1) {
        for (i = 0; i < 16; i++, entry++) {
            aws_out_bytes(out, digits + (*entry >> 4), 1);
            aws_out_bytes(out, digits + (*entry & 15), 1);
        }
    } else {
        aws_out_xml(out, (const char *)entry);
        entry += strlen((const char *)entry) + 1;
    }
    aws_out_text(out, "&quot;</ETag>");
    if (*entry && t->digest) {
        aws_out_text(out, "<Checksum");
        aws_out_text(out, t->digest->name);
        aws_out_text(out, ">");
        aws_out_xml(out, (const char *)entry);
        aws_out_text(out, "</Checksum");
        aws_out_text(out, t->digest->name);
        aws_out_text(out, ">");
    }
    aws_out_text(out, "<PartNumber>");
    aws_out_number(out, part);
    aws_out_text(out, "</PartNumber></Part>");
}

/* A piece of it: 0 the begin, then the parts, then the end. Each fits nothing but itself. */
static void aws_i_s3_emit_piece(aws_out *out, const aws_s3_transfer *t, unsigned piece)
{
    if (piece == 0)
        aws_out_text(out, "<CompleteMultipartUpload xmlns=\"" AWS_S3_NAMESPACE "\">");
    else if (piece <= t->parts)
        aws_i_s3_emit_kept_part(out, t, piece);
    else
        aws_out_text(out, "</CompleteMultipartUpload>");
}

static int aws_i_s3_read_document(void *context, void *data, size_t size)
{
    aws_s3_transfer *t = (aws_s3_transfer *)context;
    size_t used = 0;
    aws_out out;

    while (used < size && t->piece <= t->parts + 1) {
        memset(&out, 0, sizeof out);
        out.to = (unsigned char *)data + used;
        out.room = size - used;
        out.skip = t->skip;
        aws_i_s3_emit_piece(&out, t, t->piece);
        used += out.used;
        t->skip += out.used;
        if (t->skip == out.length) {
            t->piece++;
            t->skip = 0;
        }
    }
    return (int)used;
}

static int aws_i_s3_rewind_document(void *context)
{
    aws_s3_transfer *t = (aws_s3_transfer *)context;

    t->piece = 0;
    t->skip = 0;
    return 0;
}

static void aws_i_s3_number_text(char *text, const char *before, uint64_t first, uint64_t last)
{
    aws_out out;

    memset(&out, 0, sizeof out);
    out.to = (unsigned char *)text;
    out.room = 55;
    aws_out_text(&out, before);
    aws_out_number(&out, first);
    if (last) {
        aws_out_text(&out, "-");
        aws_out_number(&out, last);
    }
    text[out.used] = 0;
}

/* The upload is no more. RGW calls that NoSuchKey when its parts are listed. */
static int aws_i_s3_is_gone(const aws_s3_transfer *t)
{
    return t->result == AWS_ERR_SERVICE && t->u.failure.http_status == 404;
}

static int aws_i_s3_complete(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_complete_members);
    aws_i_s3_add_more(&q, &aws_s3_m_mpu_object_size, w->range);
    q.args.upload_id = t->upload_id;
    q.args.source = &w->source;
    q.args.body_size = t->document;
    r = aws_s3_complete_multipart_upload(w->client, &q.args, NULL);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0) {
        aws_i_s3_failed(t, w->client, r);
        if (aws_i_s3_is_gone(t))
            t->state = aws_i_s3_verify;
        return 0;
    }
    t->result = 0;
    t->state = aws_i_s3_ended;
    return 0;
}

static int aws_i_s3_completing(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    unsigned piece;
    aws_out count;

    memset(&count, 0, sizeof count);
    for (piece = 0; piece <= t->parts + 1; piece++)
        aws_i_s3_emit_piece(&count, t, piece);
    t->document = count.length;
    t->completing = 1;
    aws_i_s3_number_text(w->range, "", t->size, 0);
    w->source.read = aws_i_s3_read_document;
    w->source.rewind = aws_i_s3_rewind_document;
    w->source.context = t;
    t->state = aws_i_s3_complete;
    return 0;
}

static int aws_i_s3_create(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_i_s3_request q;
    aws_s3_result result;
    const char *date;
    size_t size, etag;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_create_members);
    aws_i_s3_add_metadata(&q, t);
    if (t->digest && !aws_i_s3_more_value(&q.args, AWS_I_S3_I_checksum_algorithm))
        aws_i_s3_add_more(&q, &aws_s3_m_checksum_algorithm, t->digest->name);
    if (t->note && !t->intended && (r = t->note(t)) < 0)
        return aws_i_s3_failed(t, client, r);
    t->intended = 1; /* should its answer be lost, the upload is looked for */
    r = aws_s3_create_multipart_upload(client, &q.args, &result);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_failed(t, client, r);
    size = result.upload_id ? strlen(result.upload_id) : 0;
    etag = strlen(aws_i_s3_etag(t)) + 1;
    t->orphaned = size != 0;
    if (!size || size + 1 + etag > AWS_I_S3_TEXT_ROOM)
        return aws_i_s3_refused(t, client, AWS_REASON_UPLOAD_ID);
    memmove(t->upload_id + size + 1, aws_i_s3_etag(t), etag);
    memcpy(t->upload_id, result.upload_id, size + 1);
    date = aws_client_header(client, "date");
    t->begun = date ? aws_date_parse(date) : -1;
    t->uploading = 1;
    t->orphaned = 0;
    t->state = aws_i_s3_move_parts;
    if (t->note && (r = t->note(t)) < 0)
        return aws_i_s3_failed(t, client, r);
    return 0;
}

/* ---- Uploads ---- */

static int aws_i_s3_read_at(void *context, void *data, size_t size)
{
    aws_s3_worker *w = (aws_s3_worker *)context;
    const aws_s3_transfer_args *a = &w->transfer->a;
    int r;

    if (size > w->size - w->place)
        size = (size_t)(w->size - w->place);
    r = size ? a->read_at(a->context, w->from + w->place, data, size) : 0;
    if (r > 0)
        w->place += (uint64_t)r;
    return r;
}

/* The source goes on to where the part is, from its start if it has gone too far. */
static int aws_i_s3_read_source(void *context, void *data, size_t size)
{
    aws_s3_worker *w = (aws_s3_worker *)context;
    aws_s3_transfer *t = w->transfer;
    const aws_source *source = t->a.source;
    uint64_t place = w->from + w->place;
    size_t n;
    int r;

    if (t->source_at > place) {
        if (!source->rewind)
            return AWS_ERR_BODY;
        if ((r = source->rewind(source->context)) < 0)
            return r;
        t->source_at = 0;
    }
    for (;;) {
        n = size;
        if (t->source_at < place && place - t->source_at < n)
            n = (size_t)(place - t->source_at);
        else if (t->source_at == place && w->size - w->place < n)
            n = (size_t)(w->size - w->place);
        r = n ? source->read(source->context, data, n) : 0;
        if (r <= 0)
            return r;
        t->source_at += (uint64_t)r;
        if (t->source_at > place) {
            w->place += (uint64_t)r;
            return r;
        }
    }
}

static int aws_i_s3_rewind_part(void *context)
{
    ((aws_s3_worker *)context)->place = 0;
    return 0;
}

/* The bytes of the worker's request. */
static void aws_i_s3_give_body(aws_s3_worker *w, aws_s3_args *args)
{
    const aws_s3_transfer_args *a = &w->transfer->a;

    args->body_size = w->size;
    args->checksum = a->args ? a->args->checksum : NULL;
    aws_i_s3_watch(w, args);
    if (a->data) {
        args->body = (const char *)a->data + (size_t)w->from;
        return;
    }
    args->source = &w->source;
    w->source.read = a->read_at ? aws_i_s3_read_at : aws_i_s3_read_source;
    w->source.rewind = a->read_at || a->source->rewind ? aws_i_s3_rewind_part : NULL;
    w->source.context = w;
}

static int aws_i_s3_upload_part(aws_s3_transfer *t, aws_s3_worker *w)
{
    aws_i_s3_request q;
    aws_s3_result result;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_part_members);
    q.args.upload_id = t->upload_id;
    q.args.part_number = w->part;
    aws_i_s3_give_body(w, &q.args);
    r = aws_s3_upload_part(w->client, &q.args, &result);
    if (r < 0)
        return r;
    return aws_i_s3_keep_part(t, w->client, w->part, result.etag,
                              t->digest ? aws_client_header(w->client, t->digest->header) : NULL);
}

/* All of it in one request. */
static int aws_i_s3_put(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_put_members);
    aws_i_s3_add_metadata(&q, t);
    aws_i_s3_give_body(w, &q.args);
    r = aws_s3_put_object(w->client, &q.args, NULL);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_failed(t, w->client, r);
    t->done = t->size;
    t->result = 0;
    t->state = aws_i_s3_ended;
    return 0;
}

/* Note the arguments: 0, or the reason why not. ways: how many places for the bytes are given. */
static int aws_i_s3_transfer_begin(aws_s3_transfer *t, const aws_s3_object *object,
                                   const aws_s3_transfer_args *args, int ways)
{
    size_t i, count;
    aws_s3_worker *w;

    memset(t, 0, sizeof *t);
    t->a = *args;
    t->object = *object;
    t->own.client = object->client;
    t->upload_id = (char *)t->record + AWS_I_S3_RECORD_HEAD;
    if (!t->a.workers)
        t->a.worker_count = 0;
    if ((t->a.source || t->a.sink) && t->a.worker_count > 1)
        t->a.worker_count = 1; /* one after the other */
    w = aws_i_s3_workers(t, &count);
    t->client = w->client;
    for (i = 0; i < count; i++) {
        w[i].transfer = t;
        w[i].part = 0;
        if (count > 1)
            aws_client_no_wait(w[i].client, 1);
    }
    if (!t->a.threshold)
        t->a.threshold = (uint64_t)8 << 20;
    if (ways != 1)
        return AWS_REASON_TRANSFER_WAYS;
    if (args->args && args->args->more_count > AWS_I_S3_MORE_ROOM)
        return AWS_REASON_TRANSFER_MORE;
    return 0;
}

/* The result of a begin. */
static int aws_i_s3_begun(aws_s3_transfer *t, int reason)
{
    if (!reason)
        return 0;
    aws_i_s3_refused(t, t->client, reason);
    aws_i_s3_end_failed(t);
    aws_i_s3_ended(t);
    return t->result;
}

AWS_API int aws_s3_upload_begin(aws_s3_transfer *t, const aws_s3_object *object,
                                const aws_s3_transfer_args *args)
{
    int ways = (args->data != NULL) + (args->read_at != NULL) + (args->source != NULL);
    int reason = aws_i_s3_transfer_begin(t, object, args, ways + (!ways && !args->size));

    t->size = args->size;
    if (!reason && t->a.data && t->size > (size_t)-1)
        reason = AWS_REASON_OBJECT_SIZE;
    if (!reason && (!t->a.source || t->a.source->rewind)) /* a checksum goes ahead of its body */
        t->digest = aws_call_digest(t->client, args->args ? args->args->checksum : NULL);
    if (t->digest && !t->digest->name)
        t->digest = NULL;
    t->call = aws_i_s3_upload_part;
    t->finish = aws_i_s3_completing;
    if (!reason && t->size <= t->a.threshold && t->size <= (uint64_t)5 << 30) {
        aws_i_s3_set_part(t, aws_i_s3_first(t), 1, t->size);
        t->a.data = ways ? t->a.data : "";
        t->state = aws_i_s3_put;
    } else if (!reason) {
        reason = aws_i_s3_plan_kept(t);
        t->state = aws_i_s3_create;
    }
    return aws_i_s3_begun(t, reason);
}

/* ---- Downloads ---- */

/* Whether the answer is the bytes that were asked for. */
static int aws_i_s3_is_range(const aws_s3_worker *w)
{
    const char *text = aws_client_header(w->client, "content-range");

    if (!*w->range)
        return aws_client_status(w->client) == 200;
    if (aws_client_status(w->client) != 206 || !text || strncmp(text, "bytes ", 6) != 0 ||
        aws_i_s3_decimal(text += 6) != w->from || !(text = strchr(text, '-')) ||
        aws_i_s3_decimal(++text) != w->from + w->size - 1 || !(text = strchr(text, '/')))
        return 0;
    return aws_i_s3_decimal(text + 1) == w->transfer->size;
}

static int aws_i_s3_write_at(void *context, const void *data, size_t size)
{
    aws_s3_worker *w = (aws_s3_worker *)context;
    const aws_s3_transfer_args *a = &w->transfer->a;
    int r;

    if (!w->place)
        w->wrong = !aws_i_s3_is_range(w);
    w->wrong |= size > w->size - w->place;
    if (w->wrong)
        return AWS_ERR_SINK;
    r = a->write_at ? a->write_at(a->context, w->from + w->place, data, size)
                    : a->sink->write(a->sink->context, data, size);
    if (r > 0)
        w->place += (uint64_t)r;
    return r;
}

/* Of a whole object, which is read again from its start. */
static int aws_i_s3_rewrite(void *context)
{
    aws_s3_worker *w = (aws_s3_worker *)context;
    const aws_sink *sink = w->transfer->a.sink;

    w->place = 0;
    return sink ? sink->rewind(sink->context) : 0;
}

static int aws_i_s3_downloaded(aws_s3_transfer *t)
{
    t->result = 0;
    t->state = aws_i_s3_ended;
    return 0;
}

/* Get the bytes of the worker's request: AWS_AGAIN, or a result. */
static int aws_i_s3_get(aws_s3_worker *w, int whole)
{
    aws_s3_transfer *t = w->transfer;
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_get_members);
    q.args.if_match = *aws_i_s3_etag(t) ? aws_i_s3_etag(t) : NULL;
    q.args.if_none_match = NULL;
    q.args.if_modified_since = q.args.if_unmodified_since = NULL;
    q.args.range = *w->range ? w->range : NULL;
    q.args.sink = &w->sink;
    aws_i_s3_watch(w, &q.args);
    w->sink.write = aws_i_s3_write_at;
    w->sink.rewind = whole && (t->a.write_at || t->a.sink->rewind) ? aws_i_s3_rewrite : NULL;
    w->sink.context = w;
    r = aws_s3_get_object(w->client, &q.args, NULL);
    if (r == AWS_ERR_SINK && w->wrong)
        return aws_call_failed(w->client, AWS_REASON_RANGE);
    if (r == 0 && w->place != w->size)
        return aws_call_failed(w->client, AWS_REASON_RANGE);
    return r;
}

/* A part; what a cut connection leaves is asked for again from there on. */
static int aws_i_s3_download_part(aws_s3_transfer *t, aws_s3_worker *w)
{
    int r;

    (void)t;
    if (!w->place)
        aws_i_s3_number_text(w->range, "bytes=", w->from, w->from + w->size - 1);
    r = aws_i_s3_get(w, 0);
    if (r != AWS_ERR_CLOSED && r != AWS_ERR_TIMEOUT && r != AWS_ERR_TRUNCATED)
        return r == 0 ? 1 : r;
    if (!w->place || w->place == w->size || w->cuts++ == AWS_I_S3_CUTS)
        return r;
    w->from += w->place;
    w->size -= w->place;
    w->place = 0;
    return 0;
}

static int aws_i_s3_download_whole(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    int r = aws_i_s3_get(w, 1);

    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_part_failed(t, w->client, r);
    t->done = t->size;
    return aws_i_s3_downloaded(t);
}

/* How large is it, and which one? */
static int aws_i_s3_look(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_i_s3_request q;
    aws_s3_result result;
    size_t etag;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_get_members);
    q.args.range = NULL;
    r = aws_s3_head_object(w->client, &q.args, &result);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_failed(t, w->client, r);
    if (!aws_client_header(w->client, "content-length"))
        return aws_i_s3_refused(t, w->client, AWS_REASON_RANGE);
    t->size = result.size;
    etag = result.etag ? strlen(result.etag) + 1 : 0;
    if (etag < AWS_I_S3_TEXT_ROOM - 1 && etag)
        memcpy(t->upload_id + 1, result.etag, etag);
    w->range[0] = 0;
    aws_i_s3_set_part(t, w, 1, t->size);
    t->state = aws_i_s3_download_whole;
    /* without an ETag parts could be of two objects */
    if (t->size <= t->a.threshold || !t->upload_id[1])
        return 0;
    w->part = 0;
    r = aws_i_s3_plan(t, AWS_I_S3_PARTS);
    return r ? aws_i_s3_refused(t, w->client, r) : 0;
}

AWS_API int aws_s3_download_begin(aws_s3_transfer *t, const aws_s3_object *object,
                                  const aws_s3_transfer_args *args)
{
    int ways = (args->write_at != NULL) + (args->sink != NULL);

    ways = aws_i_s3_transfer_begin(t, object, args, ways);
    t->call = aws_i_s3_download_part;
    t->finish = aws_i_s3_downloaded;
    t->state = aws_i_s3_look;
    return aws_i_s3_begun(t, ways);
}

/* ---- Copies ---- */

static const unsigned char aws_i_s3_copy_members[] = {
    AWS_I_S3_STORED AWS_I_S3_M(checksum_algorithm) AWS_I_S3_M(if_match) AWS_I_S3_M(if_none_match)
        AWS_I_S3_M(metadata_directive) AWS_I_S3_M(tagging_directive)
            AWS_I_S3_M(annotation_directive) AWS_I_S3_SOURCE 0};
static const unsigned char aws_i_s3_part_copy_members[] = {AWS_I_S3_SOURCE AWS_I_S3_SSEC
                                                               AWS_I_S3_PAYER 0};

static int aws_i_s3_copy_looks(aws_s3_transfer *t)
{
    const aws_dialect *dialect = aws_call_dialect(aws_i_s3_first(t)->client);

    return dialect && dialect->forms & AWS_FORM_COPY_LOOKS;
}

static const char *aws_i_s3_copy_etag(aws_s3_transfer *t)
{
    return aws_i_s3_copy_looks(t) || !*aws_i_s3_etag(t) ? NULL : aws_i_s3_etag(t);
}

static int aws_i_s3_copy_part(aws_s3_transfer *t, aws_s3_worker *w)
{
    aws_i_s3_request q;
    aws_s3_result result;
    int r;

    aws_i_s3_number_text(w->range, "bytes=", w->from, w->from + w->size - 1);
    aws_i_s3_request_of(&q, t, aws_i_s3_part_copy_members);
    q.args.upload_id = t->upload_id;
    q.args.part_number = w->part;
    q.args.copy_source = t->a.copy_source;
    q.args.copy_source_range = w->range;
    q.args.copy_source_if_match = aws_i_s3_copy_etag(t);
    r = aws_s3_upload_part_copy(w->client, &q.args, &result);
    return r < 0 ? r : aws_i_s3_keep_part(t, w->client, w->part, result.etag, NULL);
}

static int aws_i_s3_copy_whole(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_copy_members);
    aws_i_s3_add_metadata(&q, t);
    q.args.copy_source = t->a.copy_source;
    q.args.copy_source_if_match = aws_i_s3_copy_etag(t);
    r = aws_s3_copy(client, &q.args, NULL);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_part_failed(t, client, r);
    t->done = t->size;
    t->result = 0;
    t->state = aws_i_s3_ended;
    return 0;
}

static int aws_i_s3_head_source(aws_s3_transfer *t, aws_s3_result *result)
{
    aws_i_s3_request q;

    aws_i_s3_request_of(&q, t, aws_i_s3_abort_members);
    q.args.bucket = t->source.bucket;
    q.args.key = t->source.key;
    q.args.version_id = t->source_version;
    if (t->a.args) {
        q.args.sse_customer_algorithm =
            aws_i_s3_more_value(t->a.args, AWS_I_S3_I_copy_source_sse_customer_algorithm);
        q.args.sse_customer_key =
            aws_i_s3_more_value(t->a.args, AWS_I_S3_I_copy_source_sse_customer_key);
        q.args.sse_customer_key_md5 =
            aws_i_s3_more_value(t->a.args, AWS_I_S3_I_copy_source_sse_customer_key_md5);
    }
    return aws_s3_head_object(aws_i_s3_first(t)->client, &q.args, result);
}

/* How large is the source, and which one? */
static int aws_i_s3_look_at_source(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_s3_result result;
    size_t etag;
    int r = aws_i_s3_head_source(t, &result);

    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_failed(t, w->client, r);
    t->size = result.size;
    t->a.stamp = (uint64_t)result.last_modified;
    etag = result.etag ? strlen(result.etag) + 1 : 0;
    t->upload_id[0] = t->upload_id[1] = 0;
    if (etag && etag < AWS_I_S3_TEXT_ROOM - 1)
        memcpy(t->upload_id + 1, result.etag, etag);
    t->state = aws_i_s3_copy_whole;
    if (t->size <= t->a.threshold || !t->upload_id[1])
        return 0;
    r = aws_i_s3_plan_kept(t);
    t->state = aws_i_s3_create;
    return r ? aws_i_s3_refused(t, w->client, r) : 0;
}

/* "bucket/key?versionId=..." taken apart, in the place of the checkpoint's texts or behind them. */
static int aws_i_s3_take_source(aws_s3_transfer *t, size_t used)
{
    const char *from = t->a.copy_source;
    char *text = t->upload_id + used, *slash, *version;
    size_t size;
    int arn;

    from += *from == '/';
    arn = strncmp(from, aws_i_s3_text_arn, 4) == 0;
    size = strlen(from) + 1;
    if (size > AWS_I_S3_TEXT_ROOM - used)
        return AWS_REASON_COPY_SOURCE;
    memcpy(text, from, size);
    slash = strchr(text, '/');
    while (slash && arn && strncmp(slash, "/object/", 8) != 0)
        slash = strchr(slash + 1, '/');
    if (!slash || slash == text)
        return AWS_REASON_COPY_SOURCE;
    version = strchr(slash, '?');
    while (version && strncmp(version, "?versionId=", 11) != 0)
        version = strchr(version + 1, '?');
    if (version) {
        *version = 0;
        t->source_version = version + 11;
    }
    *slash = 0;
    t->source.bucket = text;
    t->source.key = slash + (arn ? 8 : 1);
    return 0;
}

/* All parts are there, and the server couldn't be told of which object they must be: is the source
 * still the one that it was before the first? */
static int aws_i_s3_look_again(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    size_t used = strlen(t->upload_id) + 1 + strlen(aws_i_s3_etag(t)) + 1;
    aws_s3_result result;
    int r = aws_i_s3_take_source(t, used);

    if (r)
        return aws_i_s3_refused(t, client, r);
    r = aws_i_s3_head_source(t, &result);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_s3_failed(t, client, r);
    t->state = aws_i_s3_completing;
    if (result.etag && strcmp(result.etag, aws_i_s3_etag(t)) == 0 &&
        (uint64_t)result.last_modified == t->a.stamp)
        return 0;
    t->stale = 1;
    return aws_i_s3_refused(t, client, AWS_REASON_CHANGED);
}

AWS_API int aws_s3_copy_begin(aws_s3_transfer *t, const aws_s3_object *object,
                              const aws_s3_transfer_args *args)
{
    int reason = aws_i_s3_transfer_begin(t, object, args, args->copy_source != NULL);

    if (!args->threshold || t->a.threshold > (uint64_t)5 << 30)
        t->a.threshold = (uint64_t)5 << 30;
    if (!reason)
        reason = aws_i_s3_take_source(t, 0);
    t->kind = 3;
    t->call = aws_i_s3_copy_part;
    t->finish = aws_i_s3_copy_looks(t) ? aws_i_s3_look_again : aws_i_s3_completing;
    t->state = aws_i_s3_look_at_source;
    return aws_i_s3_begun(t, reason);
}

/* ---- Checkpoints ---- */

/* A checkpoint's numbers, big-endian: "aws1", kind, 3 bytes 0, a CRC32, the first part that isn't
 * complete, size, size of a part, when the upload was begun, stamp, window. */

static void aws_i_s3_store(unsigned char *to, uint64_t number, int bytes)
{
    while (bytes--) {
        to[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

static uint64_t aws_i_s3_load(const unsigned char *from, int bytes)
{
    uint64_t number = 0;

    while (bytes--)
        number = number << 8 | *from++;
    return number;
}

/* The CRC32 of a checkpoint and of the names of its object. */
static uint64_t aws_i_s3_seal(const aws_s3_transfer *t, const unsigned char *record, size_t size)
{
    uint64_t context[14];
    unsigned char sum[4];

    aws_crc32.init(context);
    aws_crc32.update(context, record, 8);
    aws_crc32.update(context, record + 12, size - 12);
    aws_crc32.update(context, t->object.bucket, strlen(t->object.bucket) + 1);
    aws_crc32.update(context, t->object.key, strlen(t->object.key) + 1);
    aws_crc32.out(context, sum);
    return aws_i_s3_load(sum, 4);
}

static int aws_i_s3_save_record(aws_s3_transfer *t)
{
    unsigned char *record = t->record;
    size_t size = AWS_I_S3_RECORD_HEAD + strlen(t->upload_id) + 1 + strlen(aws_i_s3_etag(t)) + 1;

    memcpy(record, "aws1", 4);
    aws_i_s3_store(record + 4, (uint64_t)t->kind << 24, 4);
    aws_i_s3_store(record + 12, t->base, 4);
    aws_i_s3_store(record + 16, t->size, 8);
    aws_i_s3_store(record + 24, t->part_size, 8);
    aws_i_s3_store(record + 32, (uint64_t)t->begun, 8);
    aws_i_s3_store(record + 40, t->a.stamp, 8);
    aws_i_s3_store(record + 48, t->window, 8);
    aws_i_s3_store(record + 8, aws_i_s3_seal(t, record, size), 4);
    if (t->a.save(t->a.context, record, size) < 0)
        return aws_call_failed(t->client, AWS_REASON_CHECKPOINT_SAVED);
    t->saved = 1;
    return 0;
}

/* Take a checkpoint: 0, or the reason why it can't be used. */
static int aws_i_s3_recall(aws_s3_transfer *t, const void *checkpoint, size_t size)
{
    const unsigned char *record = (const unsigned char *)checkpoint;

    if (size < AWS_I_S3_RECORD_HEAD + 2 || size > AWS_S3_CHECKPOINT || record[size - 1] != 0 ||
        memcmp(record, "aws1", 4) != 0 || record[4] != t->kind || !t->object.bucket ||
        !t->object.key || aws_i_s3_load(record + 8, 4) != aws_i_s3_seal(t, record, size))
        return AWS_REASON_CHECKPOINT;
    memcpy(t->record, record, size);
    t->begun = (int64_t)aws_i_s3_load(record + 32, 8);
    t->saved = 1;
    return 0;
}

/* An upload that isn't gone on with is dropped, then it is begun anew. */
static int aws_i_s3_drop_upload(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_abort_members);
    q.args.upload_id = t->upload_id;
    r = aws_s3_abort_multipart_upload(client, &q.args, NULL);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0 && aws_client_failure(client)->http_status != 404)
        return aws_i_s3_failed(t, client, r);
    t->state = t->after;
    return 0;
}

/* The upload is gone, and the object isn't what it should have become: from the start. */
static int aws_i_s3_anew(aws_s3_transfer *t)
{
    size_t etag = strlen(aws_i_s3_etag(t)) + 1;

    memmove(t->upload_id + 1, aws_i_s3_etag(t), etag);
    t->upload_id[0] = 0;
    if (t->entry_size)
        memset(t->a.memory, 0, t->entry_size * t->parts);
    t->complete = 0;
    t->done = 0;
    t->next = 1;
    t->uploading = 0;
    t->result = 0;
    t->after = NULL;
    t->state = aws_i_s3_create;
    return 0;
}

/* The parts that the server has, as far as they are what they should be. */
static int aws_i_s3_list(aws_s3_transfer *t)
{
    aws_client *client = aws_i_s3_first(t)->client;
    aws_s3_entry part;
    unsigned n;
    int r;

    while ((r = aws_i_s3_reader_next(&t->u.list.reader)) > 0) {
        aws_i_s3_entry_of(&t->u.list.reader, &part);
        n = part.part_number;
        if (!n || n > t->parts || part.size != aws_i_s3_size_of_part(t, n))
            continue;
        if (!aws_i_s3_is_complete(t, n)) { /* else it was listed before */
            t->complete++;
            t->done += part.size;
        }
        r = aws_i_s3_keep_part(t, client, n, part.etag, part.checksum);
        if (r < 0)
            return aws_i_s3_failed(t, client, r);
    }
    if (r == AWS_AGAIN)
        return r;
    t->state = aws_i_s3_move_parts;
    if (r == 0) {
        t->after = NULL;
        return 0;
    }
    aws_i_s3_failed(t, client, r);
    if (aws_i_s3_is_gone(t))
        t->state = aws_i_s3_verify;
    return 0;
}

/* A sink that looks for a part in the answer of ListParts. */
static int aws_i_s3_see_part(void *context, const void *data, size_t size)
{
    static const char part[] = "<Part>";
    aws_s3_worker *w = (aws_s3_worker *)context;
    const char *text = (const char *)data;
    size_t i;

    for (i = 0; i < size && !w->checked; i++) {
        w->place = text[i] == part[w->place] ? w->place + 1 : text[i] == '<';
        w->checked = w->place == sizeof part - 1;
    }
    return (int)size;
}

static int aws_i_s3_unsee_part(void *context)
{
    ((aws_s3_worker *)context)->place = 0;
    return 0;
}

/* The power failed before an upload's id was known: what has the object's key and no part may be
 * that one, and is aborted. What can't be listed stays. */
static int aws_i_s3_sweep(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_i_s3_reader *rd = &t->u.list.reader;
    aws_i_s3_request q;
    int r;

    aws_i_s3_request_of(&q, t, aws_i_s3_abort_members);
    for (;;) {
        q.args.upload_id = aws_i_s3_last(rd, AWS_I_S3_E_ID);
        if (t->sweeping == 0) {
            if ((r = aws_i_s3_reader_next(rd)) == AWS_AGAIN)
                return r;
            if (r <= 0)
                break;
            t->sweeping = strcmp(aws_i_s3_last(rd, AWS_I_S3_E_KEY), t->object.key) == 0;
            w->place = w->checked = 0;
        } else if (t->sweeping == 1) {
            q.args.max_parts = 1;
            q.args.sink = &w->sink;
            if ((r = aws_s3_list_parts(w->client, &q.args, NULL)) == AWS_AGAIN)
                return r;
            t->sweeping = r < 0 || w->checked ? 0 : 2;
            q.args.max_parts = 0;
            q.args.sink = NULL;
        } else {
            if ((r = aws_s3_abort_multipart_upload(w->client, &q.args, NULL)) == AWS_AGAIN)
                return r;
            t->sweeping = 0;
        }
    }
    memset(t->upload_id, 0, AWS_I_S3_TEXT_ROOM);
    w->place = 0; /* of a body that goes in one request */
    t->state = t->after;
    t->after = NULL;
    return t->kind == 3 && (r = aws_i_s3_take_source(t, 0)) != 0 ? aws_i_s3_refused(t, w->client, r)
                                                              : 0;
}

/* Look for the upload first, then go on as the begin had it. */
static void aws_i_s3_begin_sweep(aws_s3_transfer *t)
{
    aws_s3_worker *w = aws_i_s3_first(t);
    aws_i_s3_reader *rd = &t->u.list.reader;

    aws_i_s3_reader_init(rd, &aws_i_s3_list_uploads, w->client, t->object.bucket, t->upload_id,
                         AWS_I_S3_TEXT_ROOM / 2);
    rd->prefix = t->object.key;
    w->sink.write = aws_i_s3_see_part;
    w->sink.rewind = aws_i_s3_unsee_part;
    w->sink.context = w;
    t->after = t->state;
    t->state = aws_i_s3_sweep;
}

/* Go on with the upload of a checkpoint. 0, or the reason why not. */
static int aws_i_s3_resume_upload(aws_s3_transfer *t)
{
    aws_i_s3_reader *rd = &t->u.list.reader;
    uint64_t part_size = aws_i_s3_load(t->record + 24, 8);
    int reason;

    t->a.part_size = t->a.min_part_size = part_size;
    t->size = aws_i_s3_load(t->record + 16, 8);
    reason = aws_i_s3_plan_kept(t);
    if (!reason && t->part_size != part_size) {
        t->part_size = part_size;
        t->memory_needed = aws_i_s3_count_parts(t, AWS_I_S3_PARTS) * (size_t)AWS_S3_PART_MEMORY;
        reason = AWS_REASON_PART_MEMORY;
    }
    aws_i_s3_reader_init(rd, &aws_i_s3_list_parts, aws_i_s3_first(t)->client, t->object.bucket,
                         t->u.list.text, sizeof t->u.list.text / 2);
    rd->key = t->object.key;
    rd->upload_id = t->upload_id;
    rd->timeout = t->a.args ? t->a.args->timeout : 0;
    t->uploading = 1;
    aws_i_s3_first(t)->part = 0; /* though it would go in one request now */
    t->after = aws_i_s3_anew;
    t->state = aws_i_s3_list;
    return reason;
}

AWS_API int aws_s3_upload_resume(aws_s3_transfer *t, const aws_s3_object *object,
                                 const aws_s3_transfer_args *args, const void *checkpoint,
                                 size_t size)
{
    aws_s3_transfer_args a = *args;
    int reason = aws_s3_upload_begin(t, object, args);

    t->kind = 1;
    t->note = t->a.save ? aws_i_s3_save_record : NULL;
    if (reason || !size)
        return reason;
    if ((reason = aws_i_s3_recall(t, checkpoint, size)) == 0) {
        if (!*t->upload_id)
            aws_i_s3_begin_sweep(t);
        else if (aws_i_s3_load(t->record + 16, 8) == a.size &&
                 aws_i_s3_load(t->record + 40, 8) == a.stamp)
            reason = aws_i_s3_resume_upload(t);
        else {
            t->after = t->state == aws_i_s3_put ? aws_i_s3_put : aws_i_s3_anew;
            t->state = aws_i_s3_drop_upload;
        }
    }
    return aws_i_s3_begun(t, reason);
}

AWS_API int aws_s3_copy_resume(aws_s3_transfer *t, const aws_s3_object *object,
                               const aws_s3_transfer_args *args, const void *checkpoint,
                               size_t size)
{
    int reason = aws_s3_copy_begin(t, object, args);

    t->note = t->a.save ? aws_i_s3_save_record : NULL;
    if (reason || !size)
        return reason;
    reason = aws_i_s3_recall(t, checkpoint, size);
    if (!reason && !*t->upload_id)
        aws_i_s3_begin_sweep(t);
    else if (!reason) {
        t->a.stamp = aws_i_s3_load(t->record + 40, 8);
        reason = aws_i_s3_resume_upload(t);
    }
    return aws_i_s3_begun(t, reason);
}

AWS_API int aws_s3_download_resume(aws_s3_transfer *t, const aws_s3_object *object,
                                   const aws_s3_transfer_args *args, const void *checkpoint,
                                   size_t size)
{
    int reason = aws_s3_download_begin(t, object, args);
    unsigned part;

    t->kind = 2;
    t->note = t->a.save ? aws_i_s3_save_record : NULL;
    if (reason || !size)
        return reason;
    reason = args->write_at ? aws_i_s3_recall(t, checkpoint, size) : AWS_REASON_TRANSFER_WAYS;
    if (!reason) {
        t->size = aws_i_s3_load(t->record + 16, 8);
        t->a.part_size = t->a.min_part_size = aws_i_s3_load(t->record + 24, 8);
        reason = aws_i_s3_plan(t, AWS_I_S3_PARTS);
        t->base = (unsigned)aws_i_s3_load(t->record + 12, 4);
        t->window = aws_i_s3_load(t->record + 48, 8);
        for (part = 1; !reason && part <= t->parts; part++)
            if (aws_i_s3_is_complete(t, part)) {
                t->complete++;
                t->done += aws_i_s3_size_of_part(t, part);
            }
    }
    return aws_i_s3_begun(t, reason);
}

/* ---- Running ---- */

AWS_API int aws_s3_transfer_step(aws_s3_transfer *t)
{
    int r;

    if (t->cancelled == 1) {
        t->cancelled = 2;
        if (t->state && !t->result)
            aws_i_s3_refused(t, t->client, -AWS_ERR_CANCELLED);
    }
    while (t->state)
        if ((r = t->state(t)) == AWS_AGAIN)
            return r;
    return t->result;
}

AWS_API int aws_s3_transfer_cancel(aws_s3_transfer *t)
{
    t->cancelled |= !t->cancelled;
    return 0;
}

AWS_API size_t aws_s3_transfer_waiting(aws_s3_transfer *t, aws_waiting *waiting, size_t room)
{
    size_t i, count, n = 0;
    aws_s3_worker *w = aws_i_s3_workers(t, &count);

    for (i = 0; i < count && n < room; i++) {
        aws_client_waiting(w[i].client, waiting + n);
        n += waiting[n].what != 0;
    }
    return n;
}

AWS_API int aws_s3_transfer_run(aws_s3_transfer *t,
                                int (*wait)(const aws_waiting *waiting, size_t count))
{
    aws_waiting waiting[32];
    int r;

    while ((r = aws_s3_transfer_step(t)) == AWS_AGAIN)
        if ((r = wait(waiting, aws_s3_transfer_waiting(t, waiting, 32))) < 0)
            return r;
    return r;
}

#ifdef AWS_I_SHORT
#pragma GCC pop_options
#endif

#ifdef __cplusplus
}
#endif
#endif /* AWS_IMPLEMENTATION */
