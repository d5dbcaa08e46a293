/* aws.h - an AWS client in fixed memory: boto3's session and client for C.
 *
 * SPDX-License-Identifier: MIT
 *
 * WHAT IT IS
 *   A session holds configuration and credentials, a client talks to one service over one
 *   connection. aws_s3.h adds S3 on top of this file. No allocation: all memory is yours.
 *   BearSSL gives TLS and hashes; a port (port/README.md) gives sockets, clock and entropy.
 *
 *     #define AWS_IMPLEMENTATION                  // in exactly one C file
 *     #include "aws_s3.h"                         // includes aws.h
 *
 *     static unsigned char memory[AWS_CLIENT_MEMORY];
 *     aws_session session;
 *     aws_client  s3;
 *     aws_config  config = {0};                   // C++: aws_config config = aws_config();
 *     config.region = "eu-west-1";                // keys: AWS_ACCESS_KEY_ID ... or config
 *     aws_session_init(&session, &config);
 *     aws_client_init(&s3, &session, &aws_s3_service, memory, sizeof memory);
 *     aws_s3_bucket bucket;
 *     aws_s3_bucket_init(&bucket, &s3, "telemetry");
 *     if (aws_s3_bucket_put(&bucket, "boot.txt", "hello", 5, NULL) < 0)
 *         puts(aws_client_failure_text(&s3));
 *     aws_client_close(&s3);
 *
 * CONVENTIONS
 *   - Calls return >= 0 (success or a count) or a negative AWS_ERR_*. AWS_AGAIN (negative too)
 *     means: not ready yet, call again with the same arguments. It comes only if the port has
 *     no wait function or aws_config.no_wait is set; aws_client_waiting says what is awaited.
 *   - Zero means default in every descriptor struct. Sizes are bytes, durations milliseconds,
 *     times Unix seconds. Strings end with NUL and aren't copied: strings of a config live as
 *     long as the session; strings and bodies of a call until the call has ended.
 *   - Results (headers, ETags, texts) are borrowed: valid until the client's next call.
 *   - A failure is kept in the client: aws_client_failure has the facts,
 *     aws_client_failure_text the sentence for a person. After a failed begin (a streamed put
 *     or get), write, read and finish keep failing with the first cause.
 *   - One client is for one thread at a time. A session may be shared by clients on several
 *     threads if its port has lock and unlock. After fork, a client belongs to one of the two
 *     processes; the other must not use it, nor close it.
 *
 * ATTEMPTS
 *   A failed request is made again, after a pause, if it can succeed later (aws_config.retry_mode
 *   and max_attempts; each costs tokens of the session's quota; with AWS_SMALL name
 *   aws_feature_retries). What the service's answer itself puts right is repeated at once, each
 *   kind once per call, without a pause or tokens:
 *   - another region (S3): remembered by the client for this bucket and the one before. Only the
 *     region is taken from the answer, never an address: the host is made from it by the same
 *     rules, within the same partition; with aws_config.endpoint the host stays as it is.
 *   - another time (an answer of 400 or 403 whose Date is more than 4 minutes off): the session
 *     goes by the server's clock, until the port's clock is set.
 *   - an expired token: aws_config.provider is asked for new keys.
 *   - an Expect that the server doesn't know (417).
 *   A body that can't be read twice and has begun is never sent again.
 *   A conditional write (If-None-Match, If-Match) whose answer was lost may meet its own object
 *   when it is made again: the failure's reason is then AWS_REASON_MAYBE_APPLIED.
 *   S3's bodies of 1 MiB and more, and those that can't be read twice, are announced (Expect:
 *   100-continue): the server has a second to refuse before they are sent. The connection isn't
 *   used again after a refusal. A port with AWS_PORT_BLOCKING can't do that.
 *
 * BOUNDED ANSWERS: TLS with less memory than a server's records have
 *   Nothing of a TLS record can be read before all of it has come, and a server may make it as long
 *   as 16 KB. A client of AWS_CLIENT_MEMORY_TLS has room for that. One of less memory, down to
 *   AWS_CLIENT_MEMORY_TLS_BOUNDED, is bounded: it has a record buffer of what is left, 837 bytes at
 *   least, of which 29 are the record's own.
 *   It offers max_fragment_length (512 to 4,096 bytes, what fits). A server that accepts it, as
 *   those with OpenSSL do, keeps to it: all is as in a large client. For the others, of which
 *   Amazon's may be one, name aws_config.bounded = aws_bounded_answers (the default on POSIX and
 *   Windows, but not with AWS_SMALL): then nothing is asked for that wouldn't fit if it came in one
 *   record with its head.
 *   - GetObject: in ranges, each a request with attempts of its own, on the kept connection, under
 *     one If-Match. The first is half as long as what would fit, the next ones as the head that has
 *     come leaves room. A HEAD comes before them if the answer's checksum is to be verified, which
 *     is the whole object's, and for the last so many bytes. What you get is one answer: status,
 *     headers, ETag, checksum, progress, your own Range. If the object is replaced meanwhile the
 *     call fails: AWS_REASON_CHANGED, HTTP 412, though bytes may have been handed over before.
 *   - Listings by iterators: so many entries a page as are thought to fit, fewer or more by what
 *     came; an entry too long with its key percent-encoded is asked for with the key as it is.
 *   - A record that is too large all the same ends the connection. It costs one more handshake:
 *     half of the range, or fewer entries, are asked for on a new one.
 *   Not bounded: other actions' answers (those of PUT, HEAD and DELETE are short, an error's
 *   document, too; a policy or an answer of another service may not be), GetObject with part_number
 *   or several ranges, and all of a server that answers a Range with 200. An object longer than one
 *   range must have an ETag (AWS_REASON_NO_ETAG).
 *   What doesn't fit is AWS_ERR_MEMORY with AWS_REASON_RECORD, and failure.needed says how large
 *   the client's block has to be for this record. README.md says how many requests 1 MB takes.
 *
 * OTHER SERVICES THAN S3
 *   A client is for one of AWS_SERVICES, or a constant aws_service of yours; aws_request_run does
 *   one action. The members are yours to write: JSON by aws_json_writer, pairs for the query and
 *   EC2 protocols. Answers come into your buffer and are read by path.
 *
 *     aws_client_init(&db, &session, &aws_dynamodb_service, memory, sizeof memory);
 *     aws_request get = {0};
 *     get.operation = "GetItem";
 *     get.body = body, get.body_size = strlen(body);      // {"TableName":"t","Key":{...}}
 *     get.buffer = answer, get.buffer_size = sizeof answer;
 *     int size = aws_request_run(&db, &get);
 *     if (size >= 0 && aws_json_parse(&json, answer, (size_t)size, tokens, 64) > 0)
 *         aws_json_number(&json, aws_json_find(&json, 0, "Item.temperature.N"), 2, &centi);
 *
 * COMPILE-TIME SWITCHES, read only by the implementation; none changes a public struct
 *   AWS_IMPLEMENTATION   define functions here       AWS_STATIC  make them all static
 *   AWS_NO_TLS           leave out BearSSL's engine: plain http, or a port with AWS_PORT_TLS
 *   AWS_TLS_SMALL        TLS with P-256, RSA, AES-128-GCM and SHA-256 only (default on Cortex-M);
 *                        with 64 bits also P-384, P-521 and SHA-384
 *   AWS_NO_ROOTS         no built-in trust anchors (port/amazon_roots.h); give aws_config.trust
 *   AWS_NO_DEFAULT_PORT  don't include port/posix.h or, on Windows, port/winsock.h
 *   AWS_NO_JSON          no aws_json_parse (AWS_ERR_UNSUPPORTED): jsmn.h isn't needed then
 *   AWS_SMALL            for little flash: the features below only where a program names them
 *   AWS_SMALL_CRC        CRCs bit by bit, without tables (default on Cortex-M)
 *   AWS_SHA256_HEADER    "file.h" with another SHA-256 (hardware): see the hash section. With gcc
 *                        on x86-64 it is port/sha256_x86.h by itself, as port/crc_x86.h is for CRCs
 *   AWS_SMALL_SHA256     not on x86-64 either: BearSSL's alone, 7 KB less
 *   AWS_POSIX_NO_HEAP    names by port/dns.h instead of getaddrinfo, programs (credential_process)
 *                        by vfork instead of posix_spawn: nothing on POSIX allocates then
 *
 * LITTLE FLASH
 *   What a client does by itself beyond signing, sending, reading and time-outs are its features,
 *   each a function named aws_feature_...; see aws_features. Without AWS_SMALL a program has all
 *   of them. With it, it has those that it names, and the others take no flash:
 *
 *     static const aws_features features = {NULL, aws_feature_checksums, NULL, NULL, NULL, NULL,
 *                                           aws_feature_retries};
 *     config.features = &features;
 *
 *   What needs one that isn't there is refused (AWS_REASON_FEATURE), never silently left out; only
 *   the environment, checksums that no action requires, the log and the announcement of large
 *   bodies (Expect) are just not used. Without retries the first failed attempt is the call's
 *   failure (what is repeated at once still is, and a request whose kept connection the server had
 *   closed); a retry_mode or max_attempts over 1, the environment's or a profile's, too, is
 *   refused. Three more are functions of the service, which aws_s3_service then has not: requests
 *   for buckets in other regions are followed by region; members of S3's actions other than
 *   bucket, key, body and answer (content_type, range, metadata, more, headers ...) are added by
 *   members; and aws_s3_objects with a delimiter, of a directory bucket, over a page without an
 *   entry, or with other calls of its client in its loop needs paging. Without it such a call is
 *   refused, and the loop goes on:
 *
 *     aws_service service = aws_s3_service;
 *     service.region = aws_call_bucket_region;
 *     service.members = aws_s3_members;
 *     service.paging = aws_s3_paging;
 *
 *   Texts of XML answers are handed over as they come: whether they are UTF-8 is checked only
 *   without AWS_SMALL.
 */
#ifndef AWS_INCLUDED
#define AWS_INCLUDED

#define AWS_VERSION "0.1.0"
#define AWS_VERSION_NUMBER 100 /* major * 10000 + minor * 100 + patch */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_NO_DEFAULT_PORT) && !defined(_POSIX_C_SOURCE) && \
    (defined(__unix__) || defined(__APPLE__))
/* port/posix.h needs POSIX names. They can be asked for only before the first libc header. */
#if defined(__STRICT_ANSI__) && defined(_FEATURES_H) && !defined(__cplusplus) && \
    !defined(_GNU_SOURCE) && !defined(_XOPEN_SOURCE) && !defined(_DEFAULT_SOURCE) && \
    !defined(_BSD_SOURCE)
#error "aws.h: include it before any libc header here, or compile with -D_POSIX_C_SOURCE=200809L"
#endif
#if !defined(_FEATURES_H)
#define _POSIX_C_SOURCE 200809L
#endif
#endif

#if defined(AWS_NO_DEFAULT_PORT)
#elif defined(__unix__) || defined(__APPLE__)
#define AWS_I_PORT_HEADER "port/posix.h"
#elif defined(_WIN32)
#define AWS_I_PORT_HEADER "port/winsock.h"
#endif

#include <stddef.h>
#include <stdint.h>

#ifdef AWS_STATIC
#if defined(__GNUC__)
#define AWS_API static __attribute__((unused))
#else
#define AWS_API static
#endif
#else
#define AWS_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Errors ---- */

/* Every code, its number and what it means. One list makes the enum, the names and the texts. */
#define AWS_ERRORS(X)                                                                             \
    X(AWS_AGAIN, -1, "not ready yet: call again")                                                 \
    X(AWS_ERR_PARAM, -2, "an argument is wrong")                                                  \
    X(AWS_ERR_MEMORY, -3, "the memory given is too small")                                        \
    X(AWS_ERR_BUSY, -4, "another call of this client has not ended")                              \
    X(AWS_ERR_STATE, -5, "this call does not fit what the client is doing")                       \
    X(AWS_ERR_CLOCK, -6, "the time is not known")                                                 \
    X(AWS_ERR_ENTROPY, -7, "the port gave no random bytes")                                       \
    X(AWS_ERR_CREDENTIALS, -8, "no usable credentials")                                           \
    X(AWS_ERR_LOOKUP, -9, "the host name was not found")                                          \
    X(AWS_ERR_CONNECT, -10, "the host does not accept the connection")                            \
    X(AWS_ERR_CLOSED, -11, "the connection was lost")                                             \
    X(AWS_ERR_TIMEOUT, -12, "the time ran out")                                                   \
    X(AWS_ERR_TLS, -13, "the TLS connection failed")                                              \
    X(AWS_ERR_CERTIFICATE, -14, "the server's certificate was refused")                           \
    X(AWS_ERR_TRUNCATED, -15, "the answer was cut short")                                         \
    X(AWS_ERR_PROTOCOL, -16, "the answer is not valid HTTP/1.1")                                  \
    X(AWS_ERR_TOO_BIG, -17, "the answer exceeds a limit")                                         \
    X(AWS_ERR_XML, -18, "the answer is not well-formed XML")                                      \
    X(AWS_ERR_SERVICE, -19, "the service answered with an error")                                 \
    X(AWS_ERR_BODY, -20, "the request body could not be read")                                    \
    X(AWS_ERR_SINK, -21, "the answer could not be stored")                                        \
    X(AWS_ERR_CANCELLED, -22, "the call was cancelled")                                           \
    X(AWS_ERR_UNSUPPORTED, -23, "this is not supported")                                          \
    X(AWS_ERR_JSON, -24, "this is not well-formed JSON, or has another type")                     \
    X(AWS_ERR_CHECKSUM, -25, "the answer is not what the server stored")

enum {
#define AWS_I_ENUM(name, number, text) name = number,
    AWS_ERRORS(AWS_I_ENUM)
#undef AWS_I_ENUM
    AWS_ERR_LAST = -26 /* none: the number after the last */
};

/* What exactly was wrong: X(reason, code of the error, text). %v stands for failure.value. The
 * texts are in the program only if it calls aws_client_failure_text. */
#define AWS_REASONS(X)                                                                           \
    X(NO_CLOSE_NOTIFY, CLOSED, "the connection to %v ended without close_notify")                 \
    X(NO_CA, CERTIFICATE, "there is no CA to trust: set aws_config.trust")                        \
    X(EMPTY_TRUST, CERTIFICATE,                                                                   \
      "aws_config.trust has no CA in it: load one with aws_trust_load")                           \
    X(TOO_MANY_MEMBERS, TOO_BIG,                                                                  \
      "a request has at most 32 query and header members, 64 if the client has 24 KB or more, "   \
      "with TLS 30 KB; '%v' is one too many")                                                     \
    X(HEADER_VALUE, PARAM, "the value of header '%v' has a control or non-ASCII character")       \
    X(HEADER_NAME, PARAM, "'%v' is not a header name")                                            \
    X(HEADER_OWN, PARAM, "the client itself writes header '%v': it can't be given")               \
    X(BUCKET_NAME, PARAM, "'%v' is not a bucket name: 1 to 255 of A-Z a-z 0-9 . - _")             \
    X(NO_BUCKET, PARAM, "no bucket is named")                                                     \
    X(NO_KEY, PARAM, "the key is empty: it would mean the bucket")                                \
    X(KEY_LENGTH, PARAM, "the key '%v' is longer than 1,024 bytes")                               \
    X(HOST_LENGTH, PARAM, "the host name '%v' is too long")                                       \
    X(MEMBER, PARAM, "this action has no member '%v'")                                            \
    X(MEMBER_MISSING, PARAM, "this action needs the member '%v'")                                 \
    X(BODY_SIZE, PARAM,                                                                           \
      "the body is larger than one PutObject may be, 5,368,709,120 bytes, or its size isn't "     \
      "known, which S3 wants to know beforehand: upload it in parts")                             \
    X(BODY_WAYS, PARAM, "give the body by one of body, source and stream")                        \
    X(NO_BODY, PARAM, "this action needs a body: give body, source or stream")                    \
    X(PARTS, PARAM,                                                                               \
      "give 1 to 10,000 parts, their numbers ascending, each with its ETag")                      \
    X(PATH, PARAM, "the path '%v' doesn't begin with '/'")                                        \
    X(LABEL, PARAM, "the path at '%v' needs a value in labels that isn't empty, '.' or '..'")     \
    X(PAGE_TOKEN, MEMORY, "the next page's token does not fit aws_pages.memory")                  \
    X(JSON, JSON, "the answer is not well-formed JSON")                                           \
    X(JSON_TOKENS, MEMORY, "the page has more values than aws_pages.tokens")                      \
    X(CRC32, CHECKSUM, "what came does not have the CRC32 that x-amz-crc32 says")                 \
    X(SIGNED_BODY, UNSUPPORTED,                                                                   \
      "this service wants the body signed, so it is read twice: give the source a rewind "        \
      "function")                                                                                 \
    X(ANSWER_WAYS, PARAM, "give the answer one way: buffer, sink or stream")                      \
    X(OBJECT_COUNT, PARAM, "give 1 to 1,000 objects to delete")                                   \
    X(CHECKSUM, CHECKSUM, "the checksum of what came is %v, that of the object %e")               \
    X(NO_TRAILER, UNSUPPORTED,                                                                    \
      "the checksum of a body that can't be read twice needs a trailer, which "                   \
      "aws_config.dialect doesn't have: give the source a rewind function")                       \
    X(NOT_REWINDABLE, UNSUPPORTED,                                                                \
      "a body that can't be read twice goes over plain http in signed chunks, which "             \
      "aws_config.dialect doesn't have: name one, use https, or give the source a rewind "        \
      "function")                                                                                 \
    X(CHUNK_MEMORY, MEMORY,                                                                       \
      "a body that can't be read twice is signed over plain http in chunks of 8 KB, each "        \
      "kept while it is signed: give the client more memory, or use https")                       \
    X(IP_HOST, PARAM,                                                                             \
      "'%v' is an IP address, which no certificate can prove: use the host's name, or set "       \
      "aws_config.tls_name")                                                                      \
    X(SOURCE_REWIND, BODY, "the source could not be rewound")                                     \
    X(SOURCE_SHORT, BODY, "the source ended or failed before its size")                           \
    X(WROTE_MORE, BODY, "more was written than the size announced")                               \
    X(WROTE_LESS, BODY, "finished before the whole body was written")                             \
    X(NO_KEYS, CREDENTIALS,                                                                       \
      "there are no keys; set access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID "         \
      "and AWS_SECRET_ACCESS_KEY")                                                                \
    X(NO_KEY_ID, CREDENTIALS, "there is a secret access key but no access key id")                \
    X(NO_SECRET, CREDENTIALS, "there is an access key id but no secret access key")               \
    X(KEY_TEXT, CREDENTIALS,                                                                      \
      "a key or the session token has a space, a control or a non-ASCII character")               \
    X(PROVIDER, CREDENTIALS, "the credential provider failed")                                    \
    X(PROVIDER_TIME, CREDENTIALS,                                                                 \
      "another client of the session has been at it for new keys for longer than "                \
      "connect_timeout: call it, cancel it or close it")                                          \
    X(PROVIDER_EXPIRED, CREDENTIALS, "the credential provider gave keys that have expired")       \
    X(KEYS_ADDRESS, CREDENTIALS,                                                                  \
      "'%v' is not an address that may be asked for keys: https://, or this machine's or its "    \
      "agent's")                                                                                  \
    X(KEYS_REFUSED, CREDENTIALS, "%v gave no keys")                                               \
    X(KEYS_UNREACHED, CREDENTIALS, "%v could not be asked for keys")                              \
    X(KEYS_ANSWER, CREDENTIALS, "what %v answered is not what a source of keys answers")          \
    X(KEYS_MEMORY, MEMORY, "the keys from %v do not fit the memory of their source")              \
    X(KEYS_FILE, CREDENTIALS, "file '%v' can't be read, or doesn't fit the source's memory")      \
    X(KEYS_BASE, CREDENTIALS, "there are no keys to assume role '%v' with")                       \
    X(KEYS_ROLE, CREDENTIALS,                                                                     \
      "there is the token file '%v', but no role: set AWS_ROLE_ARN")                              \
    X(KEYS_PROCESS, CREDENTIALS, "the process '%v' can't be started, or it failed")               \
    X(KEYS_VERSION, CREDENTIALS,                                                                  \
      "the process '%v' didn't print keys as JSON with \"Version\": 1")                           \
    X(KEYS_TOKEN, CREDENTIALS,                                                                    \
      "the token for %v has a control or non-ASCII character")                                    \
    X(KEYS_DATE, CREDENTIALS, "'%v' is not a time such as 2026-01-31T12:00:00Z")                  \
    X(PROFILE_FILE, CREDENTIALS,                                                                  \
      "the %v file has a malformed line, or one option or section twice")                         \
    X(PROFILE_MISSING, CREDENTIALS, "there is no profile '%v' in the files")                      \
    X(PROFILE_SECRET, CREDENTIALS, "profile '%v' has an access key id but no secret access key")  \
    X(PROFILE_ROLE, CREDENTIALS, "profile '%v' has web_identity_token_file but no role_arn")      \
    X(PROFILE_SOURCE, CREDENTIALS,                                                                \
      "profile '%v' has role_arn, so it needs source_profile or credential_source, not both")     \
    X(PROFILE_NAMED, CREDENTIALS,                                                                 \
      "credential_source '%v' is none of Environment, EcsContainer, Ec2InstanceMetadata")         \
    X(PROFILE_LOOP, CREDENTIALS, "source_profile '%v' leads back to itself")                      \
    X(PROFILE_DEPTH, CREDENTIALS, "profile '%v' is the fifth role in a row, one too many")        \
    X(PROFILE_EMPTY, CREDENTIALS, "profile '%v' is a source_profile but has no keys")             \
    X(PROFILE_MFA, UNSUPPORTED, "profile '%v' wants a second factor, which isn't supported")      \
    X(BODY_CUT, TRUNCATED, "the connection to %v ended in the body")                              \
    X(HEAD_CUT, TRUNCATED, "the connection to %v ended in the answer's head")                     \
    X(UNANSWERED, CLOSED, "%v closed the connection unanswered")                                  \
    X(CHUNKS, PROTOCOL, "the chunked body of the answer is malformed")                            \
    X(NO_LENGTH, PROTOCOL, "the answer says neither its length nor that it is chunked")           \
    X(HEAD, PROTOCOL, "the answer's head is malformed")                                           \
    X(EARLY, PROTOCOL, "the server answered before it had the request")                           \
    X(HEAD_SIZE, TOO_BIG,                                                                         \
      "the answer's head is over 32 KB, or more than fits this client's memory")                  \
    X(WAITED, TIMEOUT, "'%v' has not become what is awaited")                                      \
    X(ADDRESS_ENDPOINT, PARAM,                                                                    \
      "dual-stack, FIPS and accelerate are at AWS's own endpoints, not at '%v'")                  \
    X(ADDRESS_S3, PARAM, "aws_service_addresses doesn't know S3's hosts: name aws_s3_addresses")  \
    X(ADDRESS_FIPS, PARAM, "there are no FIPS endpoints in region '%v'")                          \
    X(ACCELERATE, PARAM,                                                                          \
      "accelerate is not for '%v': it takes no FIPS, no region in China and no bucket that "      \
      "can't be in a host name, such as one with a dot")                                          \
    X(ARN, PARAM,                                                                                 \
      "'%v' is not an access point's ARN: arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, of the "    \
      "client's partition, with no accelerate")                                                   \
    X(ARN_REGION, PARAM,                                                                          \
      "'%v' is in another region than the client: add AWS_USE_ARN_REGION to its addresses")       \
    X(ARN_HOST, PARAM, "'%v' has no dual-stack or FIPS address")                                  \
    X(ARN_GLOBAL, UNSUPPORTED,                                                                    \
      "'%v' is a multi-Region access point: it wants Signature Version 4A, which isn't here")     \
    X(EXPRESS, PARAM, "directory buckets need addresses: set aws_config.addresses")               \
    X(EXPIRES, PARAM, "a presigned address is good for at most 604,800 seconds (7 days)")         \
    X(ADDRESS_SIZE, MEMORY, "the address does not fit the memory given for it")                   \
    X(NO_DATE, CLOCK, "the server's answer had no usable Date")                                   \
    X(XML, XML, "the answer's XML is malformed or incomplete")                                    \
    X(XML_SIZE, TOO_BIG, "the answer needs more memory than the client has")                      \
    X(BUFFER, MEMORY, "the answer does not fit the buffer")                                       \
    X(NO_MEMORY, MEMORY, "no memory was given")                                                   \
    X(RECORD, MEMORY, "a TLS record of the server is larger than the client's memory takes")       \
    X(CONNECT_TIME, TIMEOUT, "no connection to %v within connect_timeout")                        \
    X(READ_TIME, TIMEOUT, "%v was silent for longer than read_timeout")                           \
    X(CALL_TIME, TIMEOUT, "the whole call to %v took longer than its timeout")                    \
    X(PROXY, PARAM, "the proxy '%v' is not http://[user[:password]@]host[:port]")                 \
    X(PROXY_TLS, UNSUPPORTED,                                                                     \
      "a port that speaks TLS itself can't reach an https endpoint through the proxy %v")         \
    X(PROXY_USER, CREDENTIALS, "the proxy %v wants another user or password in aws_config.proxy") \
    X(PROXY_REFUSED, CONNECT, "the proxy %v answered CONNECT with HTTP %e")                       \
    X(PROXY_ANSWER, PROTOCOL, "the proxy %v gave no valid HTTP answer")                           \
    X(NO_STREAM, STATE, "no body is being streamed")                                              \
    X(CLIENT_CLOSED, STATE, "the client is closed")                                               \
    X(ENDPOINT, PARAM, "the endpoint '%v' is not http[s]://host[:port] in lower case")            \
    X(PORT, PARAM, "aws_config.port has no port or an incomplete one")                            \
    X(NO_REGION, PARAM, "no region: set aws_config.region or AWS_REGION (such as eu-west-1)")     \
    X(REGION, PARAM,                                                                              \
      "the region '%v' is not one: lower case letters, digits and '-', such as eu-west-1")        \
    X(TLS_NAME, PARAM, "tls_name '%v' is not a host name")                                        \
    X(NO_TLS, UNSUPPORTED, "https needs a port that speaks TLS, or a build without AWS_NO_TLS")   \
    X(USER_AGENT, PARAM, "user_agent_extra has a control or non-ASCII character")                 \
    X(KEY_XML, PARAM,                                                                             \
      "the key '%v' has a control character, which XML can't carry: use delete_object")           \
    X(UNORDERED, MEMORY,                                                                          \
      "directory buckets aren't ordered: give the iterator page memory for a whole page")         \
    X(START_AFTER, PARAM, "start_after is longer than 1,024 bytes")                               \
    X(TOKEN_LENGTH, TOO_BIG, "a continuation token is too long")                                  \
    X(TOKEN, PROTOCOL, "a truncated listing has no token, or the same one twice")                 \
    X(MAYBE_APPLIED, SERVICE,                                                                     \
      "the answer to an earlier attempt was lost: it may have stored '%v' itself; compare "       \
      "them, or use aws_s3_put_once")                                                             \
    X(NOT_APPLIED, SERVICE, "the condition did not hold: the object is not what was sent")        \
    X(SIGNED_LINE, SERVICE,                                                                       \
      "line %l of what is signed differs: the server has '%e', we signed '%v': something on the "  \
      "way changes the request, or the server reads it in another way")                           \
    X(NOT_DELETED, SERVICE,                                                                       \
      "'%v' was not deleted, perhaps others too: see aws_s3_result.failed")                       \
    X(CHANGED, SERVICE, "the object changed while it was transferred")                            \
    X(RANGE, PROTOCOL, "the answer isn't the part of the object that was asked for")              \
    X(NO_ETAG, PROTOCOL, "the server gave no ETag")                                               \
    X(UPLOAD_ID, PROTOCOL, "the server gave no upload id, or one of over 900 bytes")              \
    X(PART_MEMORY, MEMORY, "the transfer's memory is too small for what its parts need")          \
    X(OBJECT_SIZE, PARAM, "the object is larger than 10,000 parts of 5 GiB, or than memory")      \
    X(TRANSFER_WAYS, PARAM,                                                                       \
      "give the bytes one way: data, read_at or source; write_at or sink")                        \
    X(COPY_SOURCE, PARAM, "copy_source isn't bucket/key, or is longer than 960 bytes")            \
    X(CHECKPOINT, PARAM, "the checkpoint is damaged, or of another object or kind of transfer")   \
    X(BATCH_MEMORY, MEMORY, "a batch needs at least 4,000 bytes")                                 \
    X(CHECKPOINT_SAVED, SINK, "the checkpoint could not be saved")                                \
    X(TRANSFER_MORE, PARAM, "a transfer takes at most 12 members in args.more")                   \
    X(FEATURE, UNSUPPORTED,                                                                       \
      "aws_feature_%v isn't there: with AWS_SMALL a program has to name it in "                   \
      "aws_config.features")                                                                      \
    X(SERVICE_MEMBERS, UNSUPPORTED,                                                               \
      "the service has no members: with AWS_SMALL a program has to name them, "                   \
      "service.members = aws_s3_members")                                                         \
    X(PAGING, UNSUPPORTED,                                                                        \
      "a listing with a delimiter, of a directory bucket or with a page without entries: with "   \
      "AWS_SMALL a program has to name service.paging = aws_s3_paging")                           \
    X(LISTING, UNSUPPORTED,                                                                       \
      "a listing of this client has not ended: aws_s3_objects_end ends it; for calls inside its " \
      "loop a program with AWS_SMALL has to name service.paging = aws_s3_paging")

enum {
#define AWS_I_INDEX(name, code, text) AWS_I_REASON_##name,
    AWS_I_REASON_NONE,
    AWS_REASONS(AWS_I_INDEX)
#undef AWS_I_INDEX
};

/* AWS_REASON_NO_BUCKET ...: index * 32 + the error's number without its sign. */
enum {
#define AWS_I_REASON(name, code, text)                                                            \
    AWS_REASON_##name = AWS_I_REASON_##name * 32 - (int)AWS_ERR_##code,
    AWS_REASONS(AWS_I_REASON)
#undef AWS_I_REASON
    AWS_REASON_LAST
};

/* The constant's name ("AWS_ERR_BUSY") and its text above; never NULL. */
AWS_API const char *aws_code_name(int code);
AWS_API const char *aws_code_text(int code);

/* ---- Port: what a platform gives. The contract is port/README.md. ---- */

enum { AWS_WAIT_READ = 1, AWS_WAIT_WRITE = 2, AWS_WAIT_TIMER = 4 };
enum {
    AWS_PORT_TLS = 1,     /* connections opened with tls != 0 already speak TLS, host checked */
    AWS_PORT_BLOCKING = 2 /* recv and send block: they never say AWS_AGAIN before data flows */
};

typedef struct aws_port aws_port;
struct aws_port {
    void    *context;         /* the port's own */
    unsigned flags;           /* AWS_PORT_* */
    size_t   connection_size; /* bytes of a connection area; the client zeroes it before open */

    /* Connect to host:port_number. 0 when connected, AWS_AGAIN while pending (call again with
     * the same arguments), AWS_ERR_LOOKUP, AWS_ERR_CONNECT. host: NUL-terminated name or IP,
     * valid until open has ended. tls: the connection will carry TLS (AWS_PORT_TLS). */
    int (*open)(const aws_port *port, void *connection, const char *host, unsigned port_number,
                int tls);
    /* Send up to size bytes (size > 0): the count taken (> 0), AWS_AGAIN, AWS_ERR_CLOSED. */
    int (*send)(const aws_port *port, void *connection, const void *data, size_t size);
    /* Receive up to size bytes (size > 0): the count (> 0), 0 at the orderly end of the stream,
     * AWS_AGAIN, AWS_ERR_CLOSED (reset), AWS_ERR_TIMEOUT (a blocking port's own). */
    int (*recv)(const aws_port *port, void *connection, void *data, size_t size);
    /* Release the connection, also one whose open is pending or has failed: 0 or AWS_AGAIN. */
    int (*close)(const aws_port *port, void *connection);
    /* Optional: sleep until one of `what` (AWS_WAIT_READ | AWS_WAIT_WRITE) holds or ms
     * milliseconds have passed; only the latter if what is AWS_WAIT_TIMER. 0, or an error that
     * ends the call. NULL: calls return AWS_AGAIN. */
    int (*wait)(const aws_port *port, void *connection, unsigned what, uint32_t ms);
    /* Optional: the handle for the user's own poll, -1 none. *what holds what the client awaits;
     * the port may correct it (a pending look-up reads). */
    intptr_t (*handle)(const aws_port *port, void *connection, unsigned *what);
    /* Unix time in seconds, 0 = not known (yet). */
    int64_t (*now)(const aws_port *port);
    /* Milliseconds that never go back, from any start; wraps at 2^32. */
    uint32_t (*ticks)(const aws_port *port);
    /* Fill with cryptographic random bytes: 0 or AWS_ERR_ENTROPY. */
    int (*entropy)(const aws_port *port, void *data, size_t size);
    /* Optional: guard sessions that clients on several threads share. Held for microseconds. */
    void (*lock)(const aws_port *port);
    void (*unlock)(const aws_port *port);
    /* Optional: the value of an environment variable, NULL if unset; lives with the program. */
    const char *(*env)(const aws_port *port, const char *name);
    /* Optional: the platform's number of the last failure of this connection (errno), 0 none. */
    int (*error)(const aws_port *port, void *connection);
};

/* ---- Checksums of bodies ---- */

/* One way to make a checksum, and how S3 calls it. What isn't named isn't in the program. Your own
 * may be given too: context is 112 bytes, aligned as uint64_t. */
typedef struct aws_digest {
    const char *name;   /* "CRC32": sent as x-amz-sdk-checksum-algorithm; NULL: that isn't sent */
    const char *header; /* "x-amz-checksum-crc32", in lower case: carries it, in base64 */
    unsigned    size;   /* bytes of the checksum, at most 32 */
    void (*init)(void *context);
    void (*update)(void *context, const void *data, size_t size);
    void (*out)(void *context, unsigned char *checksum); /* big-endian; the context is used up */
} aws_digest;

/* aws_content_md5 is Content-MD5, which some servers want where a checksum is required. */
#if !defined(AWS_STATIC) || (defined(AWS_IMPLEMENTATION) && !defined(__cplusplus))
AWS_API const aws_digest aws_crc32, aws_crc32c, aws_crc64nvme, aws_sha1, aws_sha256,
    aws_content_md5;
#endif

/* Bodies in chunks: what a one-pass body needs. In the program only if a dialect names it. */
typedef struct aws_i_chunked aws_i_chunked;
enum {
    AWS_FORM_TRAILER = 1,       /* https: the checksum of a body that can be read only once comes
                                 * after it (STREAMING-UNSIGNED-PAYLOAD-TRAILER) */
    AWS_FORM_SIGNED_CHUNKS = 2, /* http: such a body goes in signed chunks
                                 * (STREAMING-AWS4-HMAC-SHA256-PAYLOAD) */
    AWS_FORM_SIGNED_TRAILER = 4, /* and its checksum after them (...-PAYLOAD-TRAILER) */
    AWS_FORM_COPY_LOOKS = 8      /* x-amz-copy-source-if-match isn't honoured: a copy in parts looks
                                  * at its source again when it has all, see aws_s3_copy_begin */
};

/* What a server honours of S3's ways to protect a body. aws_config.dialect names one of those
 * below, or your own. A body that can be read twice never needs chunks or a trailer. */
typedef struct aws_dialect {
    const aws_digest *optional; /* for actions that may have a checksum; NULL: they have none */
    const aws_digest *required; /* for those that must */
    /* Checksums asked for and verified in answers, ends with NULL; NULL: none is asked for. */
    const aws_digest *const *verified;
    const aws_i_chunked *chunked; /* &aws_chunked_bodies for the forms; NULL: none of them */
    unsigned forms;               /* AWS_FORM_* */
} aws_dialect;

#ifndef AWS_STATIC
AWS_API const aws_i_chunked aws_chunked_bodies;
#endif
#if !defined(AWS_STATIC) || (defined(AWS_IMPLEMENTATION) && !defined(__cplusplus))
AWS_API const aws_dialect aws_dialect_aws, aws_dialect_ceph, aws_dialect_swift, aws_dialect_minio,
    aws_dialect_r2, aws_dialect_b2, aws_dialect_gcs; /* README.md says why each is as it is */
#endif

/* ---- Session: configuration and credentials, shared by clients ---- */

typedef struct aws_client aws_client;
typedef struct aws_out    aws_out;

/* A name and a value, both NUL-terminated. */
typedef struct aws_pair {
    const char *name;
    const char *value;
} aws_pair;

/* Credentials. Strings belong to whoever filled it in and live until they are replaced. */
typedef struct aws_keys {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* NULL: long-term keys */
    int64_t     expiration;    /* Unix seconds, 0 = never */
} aws_keys;

/* A source of credentials: a step that is called until it says something else than AWS_AGAIN.
 * On 0 it has filled *keys; its strings live until its next call. It is called only while no
 * request is being signed with the old ones, so they may be overwritten in place - once the new
 * ones are complete. From 15 minutes before expiration on it is asked again; a failure keeps
 * the old keys until 10 minutes before, then it fails the call with AWS_ERR_CREDENTIALS.
 * client: the one whose call asks. After AWS_AGAIN it is called again in 10 ms. Other clients of
 * the session wait for it, at most connect_timeout. */
typedef struct aws_provider aws_provider;
struct aws_provider {
    int (*get)(const aws_provider *provider, aws_client *client, aws_keys *keys);
    void *context;
};

/* Trust anchors (CA certificates) in the caller's memory. See aws_trust_init. */
typedef struct aws_trust {
    const void *anchors; /* BearSSL's br_x509_trust_anchor array: br_... ta output may be used */
    size_t      count;
    /* private */
    unsigned char *memory;
    size_t         size, used, tail, taken;
    size_t         needed; /* public: bytes that the certificates given so far take */
} aws_trust;

enum { AWS_WHEN_SUPPORTED = 0, AWS_WHEN_REQUIRED = 1 };
/* A client certificate with its key, for servers that want to know who connects (IoT). */
typedef struct aws_identity aws_identity;
struct aws_identity {
    void (*present)(const aws_identity *identity, void *context); /* private */
    void  *memory;
    size_t needed; /* bytes that the certificate and the key given take */
};

typedef struct aws_settings aws_settings;

enum { AWS_ADDRESSING_AUTO = 0, AWS_ADDRESSING_PATH = 1, AWS_ADDRESSING_VIRTUAL = 2 };

/* What is added to the addresses of services; nothing of it is in a program that doesn't name it:
 *     static const aws_addresses addresses = {aws_service_addresses, AWS_USE_DUALSTACK};
 *     config.addresses = &addresses;
 * aws_service_addresses: hosts for IPv6 too, and for FIPS 140, of all services but S3.
 * aws_s3_addresses: the same, and S3's, those for accelerate among them; access points, Object
 * Lambda's and Outposts' of which an ARN is given as the bucket; directory buckets (S3 Express, for
 * their sessions see aws_s3_express); regions of all partitions, aws-global, fips-REGION and
 * REGION-fips.
 * The environment adds AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT and
 * AWS_S3_USE_ARN_REGION ("true"). */
enum {
    AWS_USE_DUALSTACK = 1,
    AWS_USE_FIPS = 2,
    AWS_USE_ACCELERATE = 4,
    AWS_USE_ARN_REGION = 8 /* go to an ARN's region if it isn't the client's */
};
struct aws_out;
struct aws_xml;
typedef struct aws_addresses {
    /* Write the host of the call that was entered: 1, or 0 for the usual one. */
    int (*host)(aws_client *client, unsigned flags, struct aws_out *out);
    unsigned flags; /* AWS_USE_*, or-ed */
} aws_addresses;
AWS_API int aws_service_addresses(aws_client *client, unsigned flags, struct aws_out *out);
AWS_API int aws_s3_addresses(aws_client *client, unsigned flags, struct aws_out *out);

/* A proxy, used because aws_config.proxy names it: nobody else's program has the code. An https
 * endpoint is reached by CONNECT (TLS ends at the endpoint, whose certificate is checked), an http
 * one by asking the proxy. User and password, percent-encoded where need be, go to the proxy only,
 * and into no log or error text. Zero in url and except: the environment's (lower case first).
 *     static const aws_proxy proxy = {aws_proxy_http, "http://user:key@proxy.lan:3128", NULL}; */
typedef struct aws_proxy aws_proxy;
struct aws_proxy {
    int (*use)(aws_client *client, int step, aws_out *out); /* aws_proxy_http */
    const char *url;    /* [http://][user[:password]@]host[:port], port 80, at most 256 bytes
                         * before the @; HTTPS_PROXY, HTTP_PROXY */
    const char *except; /* hosts reached directly: "local,.corp.test,host:port" with all below them,
                         * or "*"; NO_PROXY */
};
AWS_API int aws_proxy_http(aws_client *client, int step, aws_out *out);

/* How failures are retried, as botocore does it. Standard: 3 attempts, a pause of rand(0,1) *
 * min(2^(n-1), 20) s before retry n, a quota per session. Legacy: 5 attempts, a pause of
 * rand(0,1) * 2^(n-1) s, no quota; also after HTTP 509 and S3's BadDigest. With AWS_SMALL and
 * without aws_feature_retries nothing is. */
enum { AWS_RETRY_STANDARD = 1, AWS_RETRY_LEGACY = 2 };

/* When aws_config.hook is called. Not when a URL is presigned, nor for what the client asks by
 * itself (regions, keys, sessions of directory buckets): what a hook would add isn't in the URL. */
enum {
    AWS_HOOK_SIGN = 1,  /* once per call, before the first signature: aws_call_header may add */
    AWS_HOOK_SEND = 2,  /* of each attempt, before its head is sent: see aws_client_target */
    AWS_HOOK_ANSWER = 3 /* of each attempt, when the answer's head is there: aws_client_status
                         * and aws_client_header */
};

/* What a client does by itself, see LITTLE FLASH above. Default: all of it, with AWS_SMALL nothing.
 * step is the client's own business. */
typedef int aws_feature(aws_client *client, int step);
struct aws_session;
typedef struct aws_features {
    /* AWS_REGION and the other variables that aws_config names, and AWS_ENDPOINT_URL */
    const char *(*environment)(struct aws_session *session, const char *service_id);
    aws_feature *checksums; /* of bodies and answers, and bodies in chunks: aws_config.dialect */
    aws_feature *refresh;   /* aws_config.provider */
    aws_feature *clock;     /* the server's time where the port's is wrong or not known */
    aws_feature *log;       /* aws_config.log */
    aws_feature *bodies;    /* not from memory: a source, aws_client_write; large ones announced */
    aws_feature *retries;   /* of failed attempts: aws_config.retry_mode and max_attempts */
} aws_features;
AWS_API const char *aws_feature_environment(struct aws_session *session, const char *service_id);
AWS_API int aws_feature_checksums(aws_client *client, int step);
AWS_API int aws_feature_refresh(aws_client *client, int step);
AWS_API int aws_feature_clock(aws_client *client, int step);
AWS_API int aws_feature_log(aws_client *client, int step);
AWS_API int aws_feature_bodies(aws_client *client, int step);
AWS_API int aws_feature_retries(aws_client *client, int step);

/* Everything is optional. Where a field is zero, the environment variable named is used if the
 * port has env, then the default. */
typedef struct aws_config {
    const char *access_key_id;     /* AWS_ACCESS_KEY_ID; both keys or none */
    const char *secret_access_key; /* AWS_SECRET_ACCESS_KEY */
    const char *session_token;     /* AWS_SESSION_TOKEN */
    const aws_provider *provider;  /* asked if no keys are given here; before the environment */
    int anonymous;                 /* 1: without keys and signature, wherever keys might be: what is
                                    * public (boto3's UNSIGNED); default 0 */
    const char *region;            /* AWS_REGION, AWS_DEFAULT_REGION; a DNS label */
    const char *endpoint;          /* http[s]://host[:port]; AWS_ENDPOINT_URL_<SERVICE>,
                                    * AWS_ENDPOINT_URL; default: the service's host at AWS */
    /* Asked for a service's id if neither says it: a URL or NULL. aws_settings_endpoint. */
    const char *(*endpoint_of)(const struct aws_config *config, const char *service_id);
    const aws_settings *settings; /* for endpoint_of */
    const aws_port  *port;         /* default: aws_posix_port() or aws_winsock_port() if built in */
    const aws_features *features;  /* default: all, with AWS_SMALL none */
    const aws_trust *trust;        /* CAs; default: the five Amazon roots */
    const aws_proxy *proxy;        /* default none, whatever the environment says; see aws_proxy */
    const aws_identity *identity;  /* client certificate for https; default none */
    const char *tls_name;          /* the name in the server's certificate, if not the host's */
    int64_t  clock_floor;          /* Unix seconds of the build. A device without a clock then
                                    * takes the time from the certificate and the Date header */
    unsigned addressing;           /* AWS_ADDRESSING_*: bucket in the path or in the host */
    const aws_addresses *addresses; /* other addresses than <service>.<region>...; default none */
    unsigned max_attempts;         /* AWS_MAX_ATTEMPTS; default 3 (legacy 5), the first one
                                    * included, without what is repeated at once */
    unsigned retry_mode;           /* AWS_RETRY_*; AWS_RETRY_MODE; default AWS_RETRY_STANDARD */
    uint32_t connect_timeout;      /* ms for look-up, connection and handshake; default 60,000 */
    uint32_t read_timeout;         /* ms of silence; default 60,000 */
    uint32_t call_timeout;         /* ms for a whole call, retries included; default none */
    int      no_wait;              /* never wait: calls return AWS_AGAIN */
    int      sign_payload;         /* over https, too, sign a hash of each body that can be read
                                    * twice (boto3's payload_signing_enabled); over http always */
    /* AWS_WHEN_*: checksums of bodies on all actions that may have one, or that must; checksums
     * of answers verified, or not unless x-amz-checksum-mode is given. */
    unsigned request_checksum_calculation, response_checksum_validation;
    const aws_dialect *dialect;    /* of S3, that the server speaks. Default: aws_dialect_aws; with
                                    * AWS_SMALL_CRC CRC32 only, and no trailers */
    /* aws_bounded_answers: where the server's TLS records could be larger than the client's buffer,
     * objects and listings are asked for in parts that fit. Default: set where a port comes
     * along (POSIX, Windows), elsewhere and with AWS_SMALL none. */
    int (*bounded)(aws_client *client, int what, int number);
    const char *user_agent_extra;  /* appended to the User-Agent header */
    /* aws_explain_signature: a refused signature is explained by the first line of what the server
     * has signed that differs from ours, where it says so (S3, Swift). Default: set where a
     * port comes along, elsewhere none. */
    void (*explain)(aws_client *client, const struct aws_xml *xml);
    /* One line per event (connection, attempt, answer, retry), without secrets. */
    void (*log)(void *context, const char *line);
    void *log_context;
    /* Called at the points AWS_HOOK_*. It must not make or end a call of this client. */
    void (*hook)(void *context, aws_client *client, int when);
    void *hook_context;
} aws_config;

/* Declare it anywhere; its fields are private. It must outlive its clients and stay in place. */
typedef struct aws_session {
    aws_config  config;
    aws_keys    keys;
    const void *refreshing;   /* the client that runs the provider */
    uint32_t    users;        /* clients that sign with keys just now */
    uint32_t    generation;   /* of keys */
    uint32_t    retry_after;  /* ticks: no new advisory refresh before */
    uint32_t    spent;        /* retry tokens */
    uint32_t    clock_ticks;  /* ticks at clock_base */
    int64_t     clock_base;   /* Unix time learnt from a server, 0 none */
    uint32_t    clock_port;   /* what the port's clock said then, modulo 2^32; 0 nothing */
    int64_t     floor;        /* highest time known to have passed */
    int         provided;     /* keys come from the provider */
} aws_session;

/* Note the configuration (copied; its strings aren't) and fill in what the environment says.
 * Never fails by itself: what is wrong is reported by aws_client_init. config may be NULL. */
AWS_API int aws_session_init(aws_session *session, const aws_config *config);

/* Forget and wipe. The session's clients must be closed before. */
AWS_API void aws_session_close(aws_session *session);

/* What the session has found: its region (NULL none), the id of the access key in use (NULL before
 * a provider was asked), when that expires in Unix seconds (0: never, or not known). Where keys
 * come from is told by aws_default_source, or by aws_keys_chain.at of a chain of your own. */
AWS_API const char *aws_session_region(const aws_session *session);
AWS_API const char *aws_session_access_key_id(const aws_session *session);
AWS_API int64_t aws_session_expiration(const aws_session *session);

/* ---- Client: one service over one connection ---- */

enum {
    AWS_SERVICE_S3 = 1,         /* path encoded once and never normalised, payload hash as header */
    AWS_SERVICE_QUERY_MODE = 2  /* x-amzn-query-mode: errors have the codes of the query protocol */
};

/* What requests and errors look like: aws_json_1_0, aws_query ..., see below. */
typedef struct aws_protocol aws_protocol;

/* What an answer's owner does if another call wants the connection: see aws_call_own. Then step is
 * 0 and data NULL; others are the owner's own business. */
typedef int aws_save(void *owner, int step, void *data);

/* A service is data. Strings are literals. */
typedef struct aws_service {
    const char *id;              /* "S3": in AWS_ENDPOINT_URL_<ID> */
    const char *endpoint_prefix; /* "s3": host is <prefix>.<region>.amazonaws.com */
    const char *signing_name;    /* "s3" */
    const aws_protocol *protocol; /* &aws_rest_xml */
    const char *version;         /* API version (query, ec2) or target prefix (JSON), or NULL */
    unsigned    flags;           /* AWS_SERVICE_* */
    int (*region)(aws_client *client, int refused); /* aws_call_bucket_region, or NULL */
    /* Returns the region to sign for and writes what follows the prefix in the host, for example
     * ".eu-west-1.amazonaws.com": aws_regional or aws_global. NULL: regional too, but it only
     * knows the regions of the aws, aws-cn and aws-us-gov partitions, and is smaller. out may be
     * NULL. */
    const char *(*host)(const char *region, aws_out *out);
    /* Adds to a call what the service's own arguments have beside names, body and answer:
     * aws_s3_members. NULL: the service has none, or they are refused. */
    void (*members)(aws_client *client, const void *action, const void *args);
    aws_save *paging; /* of listings: aws_s3_paging, or NULL */
} aws_service;

/* The last failure. Texts are cut to fit, always NUL-terminated, and hold no secret. */
typedef struct aws_failure {
    int         code;           /* AWS_ERR_*, 0 none */
    int         http_status;    /* 0 if no answer came */
    int         detail;         /* the port's (errno) or BearSSL's number, 0 none */
    int         cause;          /* AWS_ERR_*: why a source of keys could not be asked, 0 none */
    unsigned    attempts;       /* made, the first one included; see aws_config.max_attempts */
    size_t      needed;         /* AWS_ERR_MEMORY: bytes that would do */
    const char *operation;      /* "PutObject", "" before a call */
    int         reason;         /* AWS_REASON_*, or 0 .. 31 if the code says it all */
    unsigned    signed_line;    /* of the canonical request: the first that differs, 0 not known */
    size_t      signed_same;    /* bytes of it that are the server's, too */
    int         signed_end;     /* private: the server's line has been read */
    char        aws_code[48];   /* "NoSuchKey"; "404" where the answer has no body */
    char        message[160];   /* the service's own words */
    char        request_id[48]; /* x-amz-request-id */
    char        host_id[88];    /* x-amz-id-2 */
    char        value[72];      /* the value that was wrong, or the key or bucket concerned */
    char        expected[48];   /* the value that would be right: a region, the server's time */
} aws_failure;

/* What aws_client_waiting tells. */
typedef struct aws_waiting {
    intptr_t handle; /* of the port (a socket), -1 none */
    unsigned what;   /* AWS_WAIT_* or-ed, 0: nothing is pending */
    uint32_t ms;     /* call again after so many ms at the latest, UINT32_MAX: no limit */
} aws_waiting;

/* Minimum memory of a client in bytes, by kind. Bounded TLS: every record that the server
 * sends must fit a buffer of less than 16 KB, which holds if the server honours
 * max_fragment_length; for others see aws_config.bounded. What doesn't fit is AWS_ERR_MEMORY, and
 * failure.needed says what would do. */
enum { AWS_MEMORY_HTTP = 0, AWS_MEMORY_TLS_BOUNDED = 1, AWS_MEMORY_TLS = 2 };
AWS_API size_t aws_client_memory(const aws_port *port, int kind);

/* The same as constants for arrays, for a connection area of up to 128 bytes. */
#define AWS_CLIENT_MEMORY_HTTP (sizeof(void *) > 4 ? 6144u : 4608u)
#define AWS_CLIENT_MEMORY_TLS_BOUNDED (sizeof(void *) > 4 ? 14336u : 11264u)
#define AWS_CLIENT_MEMORY_TLS (sizeof(void *) > 4 ? 30720u : 27136u)
/* A good size: on 32 bits full TLS records and little more, on 64 bits room for speed. */
#define AWS_CLIENT_MEMORY (sizeof(void *) > 4 ? 65536u : 28672u)

/* Prepare a client in memory[size], which is divided up at once and must stay in place: a
 * larger block is faster. https or http follows from the endpoint. 0, AWS_ERR_MEMORY
 * (failure.needed says the size), AWS_ERR_PARAM, AWS_ERR_UNSUPPORTED. A failed init is sticky:
 * each call fails with the same cause. */
AWS_API int aws_client_init(aws_client *client, aws_session *session, const aws_service *service,
                            void *memory, size_t size);

/* Close the connection and wipe what was secret. 0, or AWS_AGAIN until done. A client that is
 * prepared again afterwards shakes hands in full; one that stays reconnects by itself and resumes
 * its TLS session. */
AWS_API int aws_client_close(aws_client *client);

/* End the pending call or stream; the connection is dropped if it can't be kept. Returns 0. */
AWS_API int aws_client_cancel(aws_client *client);

/* 1: this client's calls never wait, as with aws_config.no_wait, so that several clients can take
 * turns on one thread. 0: as the configuration says. */
AWS_API void aws_client_no_wait(aws_client *client, int no_wait);

/* After AWS_AGAIN: what to wait for. Returns 0. */
AWS_API int aws_client_waiting(aws_client *client, aws_waiting *waiting);

AWS_API const aws_failure *aws_client_failure(const aws_client *client);

/* The last failure as a sentence: what failed, the wrong value, the right one, what to do.
 * NUL-terminated, in the client, valid until the client's next call. */
AWS_API const char *aws_client_failure_text(aws_client *client);

/* For aws_config.explain. */
AWS_API void aws_explain_signature(aws_client *client, const struct aws_xml *xml);

#ifndef AWS_NO_TLS
/* For aws_config.bounded. */
AWS_API int aws_bounded_answers(aws_client *client, int what, int number);
#endif

/* The client's region; a bucket that lies elsewhere has its own. */
AWS_API const char *aws_client_region(const aws_client *client);

/* For a hook: the call, and where its request goes: the host, and path and query as they are sent,
 * into text[size], NUL-terminated: their length without NUL, or AWS_ERR_MEMORY. */
AWS_API const struct aws_call *aws_client_call(const aws_client *client);
AWS_API const char *aws_client_host(const aws_client *client);
AWS_API int aws_client_target(const aws_client *client, char *text, size_t size);

/* HTTP status of the last answer, 0 none. */
AWS_API int aws_client_status(const aws_client *client);

/* Bytes of the last answer's body that were stored or read so far. */
AWS_API uint64_t aws_client_received(const aws_client *client);

/* A header of the last answer by its name in any case (or a value of its XML by path, see
 * aws_call_collect); NULL if absent. Borrowed until the next call. */
AWS_API const char *aws_client_header(const aws_client *client, const char *name);

/* The index-th header, names in lower case, in the server's order: 1, or 0 past the last. */
AWS_API int aws_client_header_at(const aws_client *client, unsigned index, aws_pair *header);

/* Streams. After a call that was begun with a body to be written: write takes up to size bytes
 * and returns the count taken (> 0). After a call whose answer is to be read: read returns the
 * count (> 0), and 0 once the whole body has come and was verified. finish ends either: it
 * sends what is left, takes the answer to its end and returns 0 only if all of it was right. */
AWS_API int aws_client_write(aws_client *client, const void *data, size_t size);
AWS_API int aws_client_read(aws_client *client, void *data, size_t size);
AWS_API int aws_client_finish(aws_client *client);

/* ---- Trust anchors ---- */

#ifndef AWS_NO_TLS

/* Read CA certificates (PEM) into memory: init, then add any pieces of the file, to its end.
 * Certificates that can't be trust anchors are skipped. add returns the number of anchors so far,
 * AWS_ERR_MEMORY (trust->needed grows on, so that after the whole file it says the size) or
 * AWS_ERR_PARAM (broken PEM). 150 system roots take about 73 KB. The memory must be aligned as for
 * a pointer. */
AWS_API int aws_trust_init(aws_trust *trust, void *memory, size_t size);
AWS_API int aws_trust_add(aws_trust *trust, const void *pem, size_t size);

/* Read the client's certificates, its own first, and its EC or RSA key without a password, each as
 * PEM or DER, into memory[size], which is aligned as for a pointer and wiped by you in the end. 0,
 * AWS_ERR_MEMORY (identity->needed says the size, about 1.5 KB) or AWS_ERR_PARAM: they can't be
 * read. At most 4 certificates; with AWS_TLS_SMALL an EC key has to be of P-256. */
AWS_API int aws_identity_init(aws_identity *identity, void *memory, size_t size,
                              const void *certificates, size_t certificates_size, const void *key,
                              size_t key_size);
#endif

/* ---- Bytes: an emitter that shows a window of what it is given ---- */

/* Everything put is counted and hashed; the bytes from `skip` on are stored as far as they fit.
 * A body emitted by a pure function can so be sent in pieces without a buffer. */
struct aws_out {
    unsigned char *to;
    size_t         room;
    size_t         used;   /* bytes stored */
    size_t         skip;   /* bytes not to store */
    size_t         length; /* bytes put */
    void (*hash)(void *context, const void *data, size_t size);
    void *hash_context;
};

AWS_API void aws_out_bytes(aws_out *out, const void *data, size_t size);
AWS_API void aws_out_text(aws_out *out, const char *text);
AWS_API void aws_out_number(aws_out *out, uint64_t number);
/* Percent-encoded but for A-Z a-z 0-9 - _ . ~ and the characters of `keep`. A keep that begins with
 * 25 (digits are kept anyway) encodes each '%' of the encoding again, as "%25". */
AWS_API void aws_out_uri(aws_out *out, const char *text, size_t size, const char *keep);
AWS_API void aws_out_base64(aws_out *out, const void *data, size_t size);
/* As XML character data: & < > " and CR, LF escaped. */
AWS_API void aws_out_xml(aws_out *out, const char *text);

/* ---- XML: a pull reader in constant memory ---- */

enum { AWS_XML_START = 1, AWS_XML_TEXT = 2, AWS_XML_END = 3, AWS_XML_LEAF = 4 };
enum { AWS_XML_DEPTH = 12, AWS_XML_PATH = 192 };

/* Feed it slices of any length. On START and TEXT path is the open elements' names, joined by
 * '/' ("ListBucketResult/Contents/Key"); on END too, the element that ends included. With leaves
 * set, an element without others in it may be one event, LEAF, if it has come as a whole: name and
 * text (perhaps of no bytes) are its own, path and depth its parent's. */
typedef struct aws_xml {
    unsigned char state, depth, utf8;
    unsigned char leaves; /* yours to set: with LEAF events */
    unsigned char starts[AWS_XML_DEPTH]; /* where each open name begins in path */
    char          entity[12];
    size_t        path_length;
    size_t        root_length; /* of the first name: path + root_length is "/Contents/Key" */
    const char   *text;        /* TEXT: decoded bytes, not terminated, until the next step; an */
    size_t        text_size;   /* element's text may come in several pieces */
    const char   *name;        /* START, LEAF: of the element, not terminated either */
    size_t        name_size;
    const unsigned char *at, *end; /* of what the step was given */
    size_t        match; /* bytes of an end tag's name, or of an entity's */
    char          path[AWS_XML_PATH];
} aws_xml;

AWS_API void aws_xml_init(aws_xml *xml);
/* Take bytes from data; *used says how many. Returns an event AWS_XML_*, AWS_AGAIN (all taken,
 * no event), AWS_ERR_XML or AWS_ERR_TOO_BIG (too deep, a path over its buffer). */
AWS_API int aws_xml_step(aws_xml *xml, const void *data, size_t size, size_t *used);
/* 1 if the document was complete and nothing but white space followed. */
AWS_API int aws_xml_complete(const aws_xml *xml);

/* A part of a text in memory, not terminated. */
typedef struct aws_slice {
    const char *text;
    size_t      size;
} aws_slice;

/* Answers in memory by path. xml is a document, or an element that was found. The path is the
 * names of elements below its root, joined by '.'; a number behind a name chooses among several
 * of that name, 0 being the first: "reservationSet.item.2.ownerId". 1: *element is the whole
 * element, with its tags; 0: there is none; AWS_ERR_XML or AWS_ERR_TOO_BIG. */
AWS_API int aws_xml_find(const aws_slice *xml, const char *path, aws_slice *element);
/* The text of an element without others in it, decoded, with a NUL behind it: its length,
 * AWS_ERR_MEMORY (the element's size is always enough) or AWS_ERR_XML. */
AWS_API int aws_xml_value(const aws_slice *element, char *to, size_t room);
/* Both at once; 0 and "" if there is no such element. */
AWS_API int aws_xml_get(const aws_slice *xml, const char *path, char *to, size_t room);

/* Writes a document. Nothing overflows, and failures are sticky: check only aws_xml_end. Names are
 * literals, or stay until their element is closed; texts and attributes are escaped.
 *
 *     aws_xml_writer w;
 *     aws_xml_begin(&w, memory, sizeof memory);
 *     aws_xml_open(&w, "CORSConfiguration");
 *     aws_xml_set(&w, "xmlns", AWS_S3_NAMESPACE);
 *     aws_xml_open(&w, "CORSRule");
 *     aws_xml_put(&w, "AllowedMethod", "GET");
 *     aws_xml_close(&w);
 *     aws_xml_close(&w);
 *     args.body_size = (uint64_t)aws_xml_end(&w);      // check it first
 *
 * Without memory, in a function for aws_call_emit: aws_xml_begin(&w, NULL, 0), then w.out = *out,
 * and in the end *out = w.out. */
typedef struct aws_xml_writer {
    aws_out     out;
    const char *names[AWS_XML_DEPTH]; /* of the open elements */
    unsigned    depth;
    int         code;    /* the first failure, 0 none */
    int         in_tag;  /* the start tag is open for attributes */
} aws_xml_writer;

AWS_API void aws_xml_begin(aws_xml_writer *w, void *memory, size_t size);
AWS_API void aws_xml_open(aws_xml_writer *w, const char *name);
/* An attribute of the element just opened; a value of NULL is none. */
AWS_API void aws_xml_set(aws_xml_writer *w, const char *name, const char *value);
/* Text in the open element. */
AWS_API void aws_xml_text(aws_xml_writer *w, const char *text);
AWS_API void aws_xml_close(aws_xml_writer *w);
/* An element with text in it; a value of NULL is none. */
AWS_API void aws_xml_put(aws_xml_writer *w, const char *name, const char *value);
AWS_API void aws_xml_put_number(aws_xml_writer *w, const char *name, uint64_t value);
AWS_API void aws_xml_put_bool(aws_xml_writer *w, const char *name, int value);
/* The document's length; a NUL follows it. AWS_ERR_MEMORY (w->out.length + 1 bytes are needed),
 * AWS_ERR_XML: a name that isn't one, or a control character in a text, or AWS_ERR_STATE: opened
 * and closed wrongly, or too deep. */
AWS_API int aws_xml_end(aws_xml_writer *w);

/* ---- JSON: read over the caller's tokens, written into the caller's memory ---- */

enum {
    AWS_JSON_OBJECT = 1,
    AWS_JSON_ARRAY,
    AWS_JSON_STRING,
    AWS_JSON_NUMBER,
    AWS_JSON_TRUE,
    AWS_JSON_FALSE,
    AWS_JSON_NULL
};
enum { AWS_JSON_DEPTH = 128 }; /* deepest nesting that is read or written */

/* A value, or a member's name, which comes right before its value. */
typedef struct aws_json_token {
    int type;       /* AWS_JSON_* */
    int start, end; /* its bytes are text[start .. end - 1]; of a string those between the quotes */
    int next;       /* index of the first token that isn't within this value */
} aws_json_token;

/* A document that was read. Text and tokens stay the caller's and must not change. */
typedef struct aws_json {
    const char     *text;
    aws_json_token *tokens; /* tokens[0] is the object as a whole */
    size_t          count;  /* tokens in use; after AWS_ERR_MEMORY: tokens that are needed */
} aws_json;

/* Read a whole document: an object, strictly as RFC 8259 has it, no name twice in an object, valid
 * UTF-8. The number of tokens (> 0), AWS_ERR_JSON, AWS_ERR_MEMORY (more tokens are needed) or
 * AWS_ERR_TOO_BIG (more than an int counts, or too deep). Each value and each name takes one. */
AWS_API int aws_json_parse(aws_json *json, const char *text, size_t size, aws_json_token *tokens,
                           size_t count);

/* All of these return the index of a token, 0 if there is none; `from` is an index too, 0 the
 * whole document. A path is names and array indices joined by '.': "Items.0.temperature.N". A name
 * that has a '.' in it, or is a number, is reached by aws_json_member. */
AWS_API int aws_json_find(const aws_json *json, int from, const char *path);
AWS_API int aws_json_member(const aws_json *json, int object, const char *name);
AWS_API int aws_json_element(const aws_json *json, int array, size_t index);
/* The next element of an array: pass 0 first, then what came; 0 after the last. For an object:
 * the next value; its name is the token before it. */
AWS_API int aws_json_each(const aws_json *json, int container, int last);

/* Values. A token that is 0 or of another type is AWS_ERR_JSON, so that a value that isn't there
 * needs no check of its own.
 * string: decoded, with a NUL behind it; its length, AWS_ERR_MEMORY (end - start + 1 bytes are
 * always enough) or AWS_ERR_JSON if it has a NUL in it. int64: of a number, or a string that holds
 * one (DynamoDB's N); AWS_ERR_JSON if it has a fraction or doesn't fit. number: times 10^decimals,
 * digits beyond cut off: 21.57 with 1 decimal is 215. bool: 1 or 0. base64: of a string, the count
 * of bytes. */
AWS_API int aws_json_string(const aws_json *json, int token, char *to, size_t room);
AWS_API int aws_json_int64(const aws_json *json, int token, int64_t *value);
AWS_API int aws_json_number(const aws_json *json, int token, unsigned decimals, int64_t *value);
AWS_API int aws_json_bool(const aws_json *json, int token);
AWS_API int aws_json_base64(const aws_json *json, int token, void *to, size_t room);
/* 1 if the token is a string that says text. */
AWS_API int aws_json_is(const aws_json *json, int token, const char *text);

/* Writes a document. Nothing overflows, and failures are sticky: check only aws_json_end. name is
 * the member's in an object, NULL in an array and for the outermost value. */
typedef struct aws_json_writer {
    aws_out       out;
    unsigned char is_object[AWS_JSON_DEPTH / 8]; /* a bit for each open value */
    unsigned      depth;
    int           code;  /* the first failure, 0 none */
    int           begun; /* a value came before in the open object or array */
} aws_json_writer;

AWS_API void aws_json_begin(aws_json_writer *w, void *memory, size_t size);
AWS_API void aws_json_open_object(aws_json_writer *w, const char *name);
AWS_API void aws_json_open_array(aws_json_writer *w, const char *name);
AWS_API void aws_json_close(aws_json_writer *w);
AWS_API void aws_json_put_string(aws_json_writer *w, const char *name, const char *value);
/* value / 10^decimals: 2157 with 2 decimals is 21.57. */
AWS_API void aws_json_put_number(aws_json_writer *w, const char *name, int64_t value,
                                 unsigned decimals);
/* The same as a string: DynamoDB's N. */
AWS_API void aws_json_put_quoted(aws_json_writer *w, const char *name, int64_t value,
                                 unsigned decimals);
AWS_API void aws_json_put_bool(aws_json_writer *w, const char *name, int value);
AWS_API void aws_json_put_null(aws_json_writer *w, const char *name);
AWS_API void aws_json_put_base64(aws_json_writer *w, const char *name, const void *data,
                                 size_t size);
/* JSON as it is, such as a token's text of an answer. */
AWS_API void aws_json_put_raw(aws_json_writer *w, const char *name, const char *json, size_t size);
/* The document's length; a NUL follows it. AWS_ERR_MEMORY (w->out.length + 1 bytes are needed),
 * AWS_ERR_JSON: not valid UTF-8, or AWS_ERR_STATE: opened and closed, or named, wrongly. */
AWS_API int aws_json_end(aws_json_writer *w);

/* ---- Signing (Signature Version 4) without a client ---- */

/* Pairs: names and values as they are, not encoded; headers in any order, host among them. */
typedef struct aws_signing {
    const char *access_key_id, *secret_access_key, *session_token;
    const char *region, *service;
    int64_t     time;
    const char *method;
    const char *path; /* not encoded */
    const aws_pair *query;
    size_t          query_count; /* at most 32 */
    const aws_pair *headers;     /* x-amz-date and x-amz-security-token aren't added */
    size_t          header_count; /* at most 32 */
    const char *payload_sha256;  /* 64 hex digits or UNSIGNED-PAYLOAD; NULL: empty body */
    int         encode_once;     /* S3: the path is encoded once and never normalised */
    int         keep_path;       /* not normalised, encoded twice */
    uint32_t    expires;         /* aws_presign: seconds, at most 604,800 (7 days); 0: 3,600 */
    int         http;            /* aws_presign: http:// instead of https:// */
} aws_signing;

/* The Authorization header's value, NUL-terminated, into text[size]: its length, or
 * AWS_ERR_MEMORY, AWS_ERR_PARAM. 64 hex digits at its end are the signature. */
AWS_API int aws_sign(const aws_signing *signing, char *text, size_t size);

/* The URL that lets anybody make the request until it expires: signed in its query, with the
 * session token if there is one (when that expires, so does the URL). Whoever uses it sends
 * headers as they are here, which must have host among them; path begins with '/'. Payload: with
 * encode_once NULL means UNSIGNED-PAYLOAD, any body. NUL-terminated, into url[size]: its length,
 * or AWS_ERR_MEMORY, AWS_ERR_PARAM. Keep it as secret as what it gives access to. */
AWS_API int aws_presign(const aws_signing *signing, char *url, size_t size);

/* The signature of any text (such as an S3 POST policy in base64) with the key of the signing's
 * day, region and service: 64 hex digits and NUL. 0 or AWS_ERR_PARAM. */
AWS_API int aws_sign_text(const aws_signing *signing, const void *text, size_t size, char hex[65]);

/* x-amz-date's form ("20260102T030405Z", 17 bytes with NUL) of a time. */
AWS_API void aws_date_text(int64_t time, char text[17]);
/* Unix time of "2026-01-02T03:04:05.678Z" or "Fri, 02 Jan 2026 03:04:05 GMT", -1 if neither. */
AWS_API int64_t aws_date_parse(const char *text);

/* ---- Calls: what a service header builds on ---- */

/* A body that can be read again and again. read: the count (1..size), 0 at the end, AWS_AGAIN
 * or an error. rewind: 0 or an error; NULL if it can't be read twice. */
typedef struct aws_source {
    int (*read)(void *context, void *data, size_t size);
    int (*rewind)(void *context);
    void *context;
} aws_source;

/* Where an answer goes. write: the count taken (1..size), AWS_AGAIN or an error. rewind: start
 * over after a cut connection (0); NULL if it can't: then a cut is an error. */
typedef struct aws_sink {
    int (*write)(void *context, const void *data, size_t size);
    int (*rewind)(void *context);
    void *context;
} aws_sink;

enum {
    AWS_CALL_WRITE = 1,       /* the body comes by aws_client_write */
    AWS_CALL_READ = 2,        /* the answer goes by aws_client_read or aws_call_xml */
    AWS_CALL_XML = 4,         /* with AWS_CALL_READ: a 2xx answer is XML, for aws_call_xml. In a
                               * buffer or sink: see aws_call_run_xml */
    AWS_CALL_PATH_STYLE = 8,  /* the bucket goes in the path, whatever the addressing */
    AWS_CALL_HOST_PREFIX = 16, /* the bucket is a prefix of the host, whatever the addressing */
    AWS_CALL_SIGN_BODY = 32,   /* sign the body's hash over https, too, if it can be read twice */
    AWS_CALL_CHECKSUM = 64,    /* the body may have a checksum: see aws_config.dialect */
    AWS_CALL_CHECKSUM_REQUIRED = 128, /* it must */
    AWS_CALL_VERIFY = 256,     /* the answer may: a complete one that doesn't match is an error */
    AWS_CALL_RANGES = 512      /* the answer may be asked for in ranges (S3's GetObject) */
};

/* One API action. Copied at its first entry; what it points at isn't. */
typedef struct aws_call aws_call;
struct aws_call {
    /* What calls are told apart by: a second entry is the same call if these are equal. */
    const char       *operation; /* AWS's name of it, a literal */
    const char       *bucket;    /* S3's bucket: in the path or the host; NULL none */
    const char       *key;       /* the rest of the path, encoded by us; NULL none */
    const void       *data;      /* body: data, source, AWS_CALL_WRITE or aws_call_emit; none: it is
                                  * empty */
    const aws_source *source;
    const void       *emit_context;
    void             *buffer;    /* answer: a buffer, a sink or AWS_CALL_READ; else it is dropped */
    /* and the rest */
    const char *method; /* a literal */
    unsigned    flags;  /* AWS_CALL_* */
    void (*emitter)(aws_out *out, const aws_call *call); /* see aws_call_emit */
    aws_feature *emitted;
    size_t      emit_count;
    int         emit_option;
    uint64_t    size; /* of the body; of one that is emitted 0, it is counted */
    const aws_digest *checksum; /* of the body; NULL: by the flags. None if the call has a header
                                 * x-amz-checksum-... of its own */
    /* The path instead of bucket and key: a pure function too; is_signed: as it is signed */
    void (*path)(aws_out *out, const aws_call *call, int is_signed);
    const aws_service *service; /* for these functions; may be NULL */
    size_t          buffer_size;
    const aws_sink *sink;
    uint32_t        timeout; /* ms for the whole call, 0: aws_config.call_timeout */
    void (*progress)(void *context, uint64_t done, uint64_t total); /* of the body that moves */
    void *progress_context;
};

/* For a call's descriptor: its body is written by emitter, a pure function of the call's emit_...
 * and operation, which is called again and again. Without it that takes no flash. */
AWS_API void aws_call_emit(aws_call *call, void (*emitter)(aws_out *out, const aws_call *call));
/* First entry of a call: 1, and the caller adds query and headers, then runs it. 0: the same
 * call is pending, go on with aws_call_run. Else AWS_ERR_BUSY or the sticky failure. Two entries
 * are the same call if operation, bucket, key and body pointers are equal. */
AWS_API int aws_call_enter(aws_client *client, const aws_call *call);
/* Add a query parameter or a header; name is a literal, value stays the caller's (NULL: as ""
 * for a query, nothing for a header). prefix of a header (x-amz-meta-) or NULL. The first error
 * is kept and returned by aws_call_run. */
AWS_API void aws_call_query(aws_client *client, const char *name, const char *value);
AWS_API void aws_call_query_number(aws_client *client, const char *name, size_t value);
/* The parameter that says how many entries a page may have, 0: what the server thinks right. Of a
 * bounded client it says fewer if more wouldn't fit. */
AWS_API void aws_call_page(aws_client *client, const char *name, unsigned most);
AWS_API void aws_call_header(aws_client *client, const char *prefix, const char *name,
                             const char *value);
/* As a header whose value is percent-encoded but for '/' (x-amz-copy-source). */
AWS_API void aws_call_header_uri(aws_client *client, const char *name, const char *value);
/* Refuse the call that was entered; AWS_REASON_MEMBER fits any wrong argument. Returns the code. */
AWS_API int aws_call_refuse(aws_client *client, int reason, const char *value);
/* The service that the client was made for. */
AWS_API const aws_service *aws_call_service(const aws_client *client);
/* A service header's own numbers for the call that was entered, zero at its first entry. */
AWS_API unsigned *aws_call_counters(aws_client *client);
/* A TEXT event below an <Error> element: keep it in the failure (Code, Message, Key, ...). */
AWS_API void aws_call_error_text(aws_client *client, const aws_xml *xml);
/* For aws_service.region. refused 0: the call that was entered goes to its bucket's region, as far
 * as it is known. Else: 1 if the answer that refused it names another one, which is then used. */
AWS_API int aws_call_bucket_region(aws_client *client, int refused);
/* The call failed for a reason that the service header found: keep it, return code. */
AWS_API int aws_call_failed(aws_client *client, int reason);
/* Put a failure back that was copied before other calls of the client. */
AWS_API void aws_call_keep(aws_client *client, const aws_failure *failure);
/* The checksum that the client makes of bodies which may have one: wanted if it isn't NULL. */
AWS_API const aws_digest *aws_call_digest(const aws_client *client, const aws_digest *wanted);
/* The dialect that aws_config names, NULL if it names none. */
AWS_API const aws_dialect *aws_call_dialect(const aws_client *client);
/* Take the call further: sign, send, receive, retry. The count of bytes stored (buffer), 0, or
 * an error. With AWS_CALL_WRITE it returns when the head is sent, with AWS_CALL_READ when the
 * answer's head has come. */
AWS_API int aws_call_run(aws_client *client);
/* The same for an answer of XML that goes to a buffer or sink, or is dropped: if it ends before its
 * end or has an <Error> in it, that is a failure. */
AWS_API int aws_call_run_xml(aws_client *client);
/* With AWS_CALL_READ | AWS_CALL_XML: the next event of the answer (> 0), 0 at its complete end. */
AWS_API int aws_call_xml(aws_client *client, aws_xml **xml);
/* Reading the answer failed with code: 0 if there is an attempt left, which aws_call_run makes
 * after the caller has forgotten what it had read; else code. */
AWS_API int aws_call_again(aws_client *client, int code);
/* An answer that has come whole isn't right, because of AWS_REASON_*: 0 if there is an attempt
 * left, which aws_call_run makes; else the call has failed. Not after a sink has got it. */
AWS_API int aws_call_repeat(aws_client *client, int reason);
/* With AWS_CALL_READ | AWS_CALL_XML, instead of aws_call_run: run the call and take the whole
 * answer; the texts of its leaves can then be had by aws_client_header with their path below the
 * root ("/ETag"; "" for the root's own). 0 or an error. */
AWS_API int aws_call_collect(aws_client *client);
/* Give the open answer to an owner: another call first calls save (until it isn't AWS_AGAIN),
 * which reads on with aws_call_xml or gives up; afterwards the stream is gone. Without save other
 * calls are refused (AWS_REASON_LISTING) until the owner has read or dropped the answer. */
AWS_API void aws_call_own(aws_client *client, void *owner, aws_save *save);
/* Whether the answer is open, to be read by the caller. */
AWS_API int aws_call_reading(const aws_client *client);
/* Whether owner still has the stream it was given. */
AWS_API int aws_call_owned(const aws_client *client, const void *owner);
/* Read and drop the rest if it is short, else close the connection; the stream is gone. */
AWS_API int aws_call_drop(aws_client *client);

/* The URL of a call that is not made. make gets a copy of the client, enters its call there and
 * runs it, which ends with AWS_AGAIN when all is known; make returns what that returned. seconds
 * as aws_signing.expires, or AWS_UNSIGNED for the plain address, without a signature. Nothing is
 * sent and no stream disturbed; only a credential provider may be asked, by a client that is
 * idle. Needs about 3 KB of stack. The length, AWS_AGAIN or an error (AWS_ERR_MEMORY:
 * failure.needed says the size). */
#define AWS_UNSIGNED 0xffffffffu
AWS_API int aws_call_presign(aws_client *client, int (*make)(aws_client *copy, void *context),
                             void *context, uint32_t seconds, char *url, size_t size);
/* Fill in what the client signs with: keys, region, service and time; the rest is zero. The keys
 * are the session's: use them at once. 0, AWS_AGAIN or an error. */
AWS_API int aws_call_signing(aws_client *client, aws_signing *signing);

/* ---- Waiters: ask again and again until it is so ---- */

enum { AWS_WAITER_DONE = 1, AWS_WAITER_AGAIN = 2, AWS_WAITER_FAILED = 3 };

/* What an answer means: the first rule that fits counts. */
typedef struct aws_waiter_rule {
    int         status;   /* HTTP's, 0 any */
    const char *aws_code; /* failure.aws_code, NULL any */
    int         verdict;  /* AWS_WAITER_*; 0 ends the rules: a success then means again, an error
                           * that the wait has failed with it */
} aws_waiter_rule;

/* What is awaited: a constant of a service header, or yours. ask makes one call of the client: 0
 * or more, AWS_AGAIN or an error. To look into an answer it may return AWS_WAITER_* itself, which
 * counts before the rules. */
typedef struct aws_waiter_kind {
    const char *name; /* a literal, for the failure: "ObjectExists" */
    int (*ask)(aws_client *client, const void *context);
    const aws_waiter_rule *rules;
    uint32_t    delay;    /* ms from one answer to the next call; 0: 5,000 */
    unsigned    attempts; /* calls, 0: 20 */
} aws_waiter_kind;

/* A wait: zero it before. When the wait has ended it can be used again. */
typedef struct aws_waiter {
    uint32_t delay;    /* 0: the kind's */
    unsigned attempts; /* 0: the kind's */
    /* private */
    unsigned asked, sleeping;
    uint32_t wake;
} aws_waiter;

/* 0 once it is so, AWS_AGAIN while a call or the time between two is pending, AWS_ERR_TIMEOUT
 * after the last attempt, or the error of a call. Between two calls the client can be used for
 * others. context: for ask; it lives until the wait has ended. */
AWS_API int aws_wait(aws_client *client, const aws_waiter_kind *kind, const void *context,
                     aws_waiter *waiter);

/* ---- Any service: requests by protocol ---- */

/* How a service's requests and errors look. Choose one of those below; a constant of your own may
 * be another. */
struct aws_protocol {
    const char *content_type; /* of a body; NULL none */
    const char *no_body;      /* what is sent where there is no body: "{}" or NULL */
    unsigned    flags;        /* AWS_PROTOCOL_* */
    /* Makes the body of aws_request.form; NULL: the caller gives the body. */
    void (*emit)(aws_out *out, const aws_call *call);
    /* A piece of an error answer's body: the count of bytes taken; size 0: it has ended. */
    size_t (*error)(aws_client *client, const unsigned char *data, size_t size);
};
enum {
    AWS_PROTOCOL_TARGET = 1, /* x-amz-target: <version>.<operation> */
    AWS_PROTOCOL_XML = 2     /* every 2xx answer is XML, and checked to be whole */
};

#define AWS_PROTOCOLS(X) \
    X(rest_xml) X(json_1_0) X(json_1_1) X(rest_json) X(query) X(ec2)

/* Ready services, aws_<name>_service: X(name, id, host prefix, signing name, protocol, version or
 * target prefix, flags, host). Those that a program doesn't name aren't in it. */
#define AWS_SERVICES(X)                                                                           \
    X(cloudwatch, "CloudWatch", "monitoring", "monitoring", json_1_0,                             \
      "GraniteServiceVersion20100801", AWS_SERVICE_QUERY_MODE, regional)                          \
    X(dynamodb, "DynamoDB", "dynamodb", "dynamodb", json_1_0, "DynamoDB_20120810", 0, regional)   \
    X(ec2, "EC2", "ec2", "ec2", ec2, "2016-11-15", 0, regional)                                   \
    X(iam, "IAM", "iam", "iam", query, "2010-05-08", 0, global)                                   \
    X(iot, "IoT", "iot", "iot", rest_json, "", 0, regional)                                       \
    X(iot_data, "IoT Data Plane", "data-ats.iot", "iotdata", rest_json, "", 0, regional)          \
    X(kinesis, "Kinesis", "kinesis", "kinesis", json_1_1, "Kinesis_20131202", 0, regional)        \
    X(kms, "KMS", "kms", "kms", json_1_1, "TrentService", 0, regional)                            \
    X(lambda, "Lambda", "lambda", "lambda", rest_json, "", 0, regional)                           \
    X(logs, "CloudWatch Logs", "logs", "logs", json_1_1, "Logs_20140328", 0, regional)            \
    X(secretsmanager, "Secrets Manager", "secretsmanager", "secretsmanager", json_1_1,            \
      "secretsmanager", 0, regional)                                                              \
    X(sns, "SNS", "sns", "sns", query, "2010-03-31", 0, regional)                                 \
    X(sqs, "SQS", "sqs", "sqs", json_1_0, "AmazonSQS", AWS_SERVICE_QUERY_MODE, regional)          \
    X(ssm, "SSM", "ssm", "ssm", json_1_1, "AmazonSSM", 0, regional)                               \
    X(sts, "STS", "sts", "sts", query, "2011-06-15", 0, regional)

#if !defined(AWS_STATIC) || (defined(AWS_IMPLEMENTATION) && !defined(__cplusplus))
#define AWS_I_DECLARE(name) AWS_API const aws_protocol aws_##name;
AWS_PROTOCOLS(AWS_I_DECLARE)
#undef AWS_I_DECLARE
#define AWS_I_DECLARE(name, id, prefix, signing, protocol, version, flags, host)                  \
    AWS_API const aws_service aws_##name##_service;
AWS_SERVICES(AWS_I_DECLARE)
#undef AWS_I_DECLARE
#endif

/* One action of any service. It and what it points at stay as they are until the call has ended.
 * A pair whose value is NULL is left out. */
typedef struct aws_request {
    const char *operation; /* AWS's name of it: "PutItem" */
    /* REST protocols only; the others send POST / */
    const char     *method; /* default "POST" */
    const char     *path;   /* "/things/{thing}/shadow"; default "/". {name+} may contain '/' */
    const aws_pair *labels; /* what stands for {name}: encoded by us, never empty, "." or ".." */
    size_t          label_count;
    const aws_pair *query; /* parameters behind '?', not encoded */
    size_t          query_count;
    const aws_pair *headers; /* printable ASCII */
    size_t          header_count;
    /* query and ec2: Action and Version are added. Lists and maps as AWS writes them:
     * "InstanceId.1" (ec2), "Names.member.1", "Tags.entry.1.key" (query) */
    const aws_pair *form;
    size_t          form_count;
    /* JSON and REST: the body from memory or a source that can be read twice; no body is {} in the
     * two JSON protocols */
    const void       *body;
    uint64_t          body_size;
    const aws_source *source;
    const char       *content_type; /* of the body; default the protocol's, "" none */
    /* The answer goes to buffer, to sink or, with stream != 0, by aws_client_read, aws_call_xml or
     * aws_call_collect; none of them: it is read and dropped */
    void           *buffer;
    size_t          buffer_size;
    const aws_sink *sink;
    int             stream;
    uint32_t        timeout; /* ms for the whole call, 0: aws_config.call_timeout */
    /* A member more than body, form or query have, see aws_pages: its name, and its value as JSON
     * text (JSON protocols) or as plain text */
    const char *token_name, *token;
} aws_request;

/* For aws_service.host: of most services, and of IAM, which has one host for a whole partition. */
AWS_API const char *aws_regional(const char *region, aws_out *out);
AWS_API const char *aws_global(const char *region, aws_out *out);

/* Do it: the count of bytes stored in buffer, 0, or an error. AWS_AGAIN: call again with the same
 * request. The service's own failure is AWS_ERR_SERVICE; its code and message are in
 * aws_client_failure. */
AWS_API int aws_request_run(aws_client *client, const aws_request *request);

/* An action page by page: zero it, then set what is said here. Each page comes into the request's
 * buffer and is read from there.
 *     pages.request = &request;                  its token_name: "ExclusiveStartKey"
 *     pages.token_path = "LastEvaluatedKey";     where an answer has the next page's token
 *     while ((r = aws_pages_json(&client, &pages)) > 0)
 *         ... aws_json_find(&pages.json, 0, "Items.0") ...                                     */
typedef struct aws_pages {
    const aws_request *request;    /* may have a token to begin with; stays as it is to the end */
    const char        *token_path; /* XML: below the root, "ListUsersResult.Marker" */
    const char        *more_path;  /* where an answer says whether there is more ("IsTruncated");
                                    * NULL: there is as long as there is a token */
    char           *memory; /* for two tokens */
    size_t          size;
    aws_json_token *tokens; /* aws_pages_json: for a page */
    size_t          token_count;
    aws_json        json; /* the page, until the next one is asked for */
    aws_slice       xml;
    /* private */
    aws_request copy;
    int         state, half;
} aws_pages;

/* The next page: 1, 0 after the last one, AWS_AGAIN or an error: a token that is too long
 * (AWS_ERR_MEMORY), or the same one twice (AWS_ERR_PROTOCOL), too. After an error the same page is
 * asked for again. One function for services that speak JSON, one for those that speak XML. */
AWS_API int aws_pages_json(aws_client *client, aws_pages *pages);
AWS_API int aws_pages_xml(aws_client *client, aws_pages *pages);

/* ---- Private from here on, declared so that you can declare a client. ---- */

typedef struct aws_i_item {
    const char   *prefix, *name, *value;
    size_t        length; /* of value; a number's value */
    unsigned char kind, again; /* again: a header with the name of the one before */
} aws_i_item;

typedef struct aws_i_chunks {
    unsigned char is_signed, begun, sealed, ended, shift; /* chunks of 2^shift bytes */
    size_t        left;     /* unsigned: of the chunk that is being sent */
    size_t        held, sent; /* signed: bytes of the chunk in the buffer, and sent */
    size_t        frame_at; /* bytes of a chunk's head sent */
    size_t        borrowed; /* of the read-ahead buffer: the chunk's */
} aws_i_chunks;

typedef struct aws_i_connection {
    unsigned char  state, secure, ended, used, answered, doomed, resumed, tunnel;
    unsigned char  last;                     /* chunk may come yet: 1 + how much of it has */
    unsigned char *area;                     /* the port's */
    unsigned char *ahead;                    /* read-ahead: ahead[start..end) is unread */
    size_t         ahead_size, start, end;
    unsigned char *out;                      /* http: out[sent..filled) is unsent; TLS: records */
    size_t         out_size, sent, filled;
    unsigned char *record;                   /* TLS: incoming record */
    size_t         record_size;
    void          *tls;                      /* TLS contexts */
    uint32_t       opened;                   /* ticks */
} aws_i_connection;

typedef struct aws_i_http {
    unsigned char state, has_length, chunked, close, interim, digits;
    uint64_t      length;    /* Content-Length, or what is left of the body or chunk */
    uint32_t      total;     /* bytes of the head; of chunk lines and trailers from FRAMING on */
    uint32_t      lengths;   /* bit n: of a header's name with its NUL, modulo 32 */
    size_t        used;      /* head arena: name NUL value NUL ... */
    size_t        name, value; /* where the current line begins, and its value (0: not yet) */
    int           status;
} aws_i_http;

/* A URL's. */
typedef struct aws_i_endpoint {
    const char *host;
    size_t      size;
    unsigned    port;
    int         secure, kind; /* AWS_I_ENDPOINT_... */
} aws_i_endpoint;

/* An answer that is asked for in parts, see aws_bounded_answers. */
typedef struct aws_i_ranges {
    uint64_t    from, size;  /* of the object: what the caller wants; size 0: not known */
    uint64_t    whole;       /* the object's size, 0 not known */
    uint64_t    end;         /* in the object, behind the range asked for */
    uint64_t    part;        /* behind the one that came */
    const char *etag;        /* in client->text; NULL none */
    const aws_digest *verifying;
    size_t      range, head; /* bytes asked for; the largest head seen */
    size_t      kept;        /* bytes of the first answer's head in client->text */
    unsigned    keys, asked, wanted; /* entries of a page: that fit, of this one, as called for */
    unsigned short skip, left, word; /* of the ServerHello: bytes to pass over, to its end */
    unsigned char step, honoured; /* the server has accepted max_fragment_length */
    unsigned char own;       /* the caller's Range: AWS_I_B_RANGE, AWS_I_B_SUFFIX */
    unsigned char halved, plain;
    char        text[48];    /* the header Range */
} aws_i_ranges;

/* A bucket's region that a service has named. */
typedef struct aws_i_region {
    uint32_t bucket; /* hash of its name, 0 none */
    char     name[32];
} aws_i_region;

struct aws_i_view;

struct aws_client { /* what is used most first: an offset below 32 or 128 makes short code */
    unsigned char state, endpoint_secure, custom_endpoint, virtual_host;
    unsigned char probing, tried, expected, one_pass, body_begun, inflight, early, quota_cost;
    unsigned char uses_keys, xml_open, anonymous, ranging;
    unsigned char      no_wait; /* aws_client_no_wait, or the configuration's */
    aws_i_connection   connection;
    aws_session       *session;
    const aws_port    *port;
    const aws_service *service;
    int                pending; /* error to be met by the next step */
    int                result;
    unsigned           waits;   /* AWS_WAIT_* */
    uint32_t           timeout;
    uint32_t           wake;    /* ticks */
    void              *owner;
    const char        *region;  /* of this call */
    const unsigned char *piece; /* of the answer, that the XML reader is at; not yet taken */
    /* From here to call: zero when a call is entered. */
    unsigned           attempts, counters[4];
    size_t             item_count, query_count;
    uint64_t           offset;  /* bytes of head or body given to the connection */
    uint64_t           stored;  /* bytes of the answer handed over */
    const aws_digest  *digest;     /* of the request's body, NULL none */
    const aws_digest  *verifying;  /* of the answer's */
    const char        *expect; /* the header that announces the body, NULL none */
    const aws_i_chunked *chunked;  /* NULL: the body goes as it is */
    /* Takes a piece of the answer, or its end: NULL, or it is XML. 0, AWS_I_ERROR or an error. */
    int (*check)(aws_client *client, const unsigned char *data, size_t size);
    aws_call           call;
    uint64_t           size;    /* of the body */
    int                broken;  /* init failed with this code */
    aws_i_item        *items;
    size_t             item_room;
    unsigned char     *scratch; /* X.509 context, later XML reader and response head */
    size_t             scratch_size;
    aws_i_http         http;
    uint32_t           started, progressed; /* ticks */
    uint32_t           drained; /* bytes of an abandoned answer or an error document */
    uint32_t           key_day; /* of signing_key, UINT32_MAX none */
    uint32_t           key_generation;
    uint32_t           signed_at;  /* ticks at time */
    int64_t            time;       /* of this attempt's signature */
    /* Writes headers that not every request has. */
    void (*given)(aws_out *out, struct aws_i_view *view, const aws_i_item *item);
    int64_t            not_before; /* of a certificate from a clockless device's future */
    void              *hash;       /* running SHA-256 of a body */
    void              *sum;        /* running checksum */
    const struct aws_i_probe *probe; /* while probing */
    const char        *payload_text; /* x-amz-content-sha256; NULL: the hash */
    aws_i_chunks       chunks;
    uint64_t           encoded;    /* size of the body as it is sent */
    const char        *signing_name; /* of this call */
    const char        *home;   /* the configured one */
    aws_i_endpoint     endpoint;
    unsigned           port_number;
    void              *memory;
    size_t             memory_size;
    aws_save          *save;
    int (*bounded)(aws_client *client, int what, int number); /* NULL: all fits, or none named */
    aws_i_ranges      *ranges;
    uint64_t           came;   /* bytes of a bounded answer */
    size_t             kept;   /* bytes of its head in text, 0: it is in the scratch */
    void              *signing_key; /* its HMAC states */
    const aws_keys    *keys;    /* to sign with: the session's, or a directory bucket's */
    struct aws_s3_express *express; /* NULL: directory buckets have no sessions of their own */
    unsigned char signature[32], payload[32], checksum[32];
    char          checksum_text[48]; /* in base64 */
    char          date[17];          /* of time */
    aws_failure   failure;
    aws_i_region  regions[2]; /* the last one first */
    char          host[256];
    char          text[640];
};

/* ---- Credential sources: providers for aws_config.provider ----
 *
 * Each is a struct of yours, begun by its init function, which returns what aws_config.provider,
 * a chain or a role takes. It stays in place until the session is closed and serves that session
 * alone. What a program doesn't name isn't in it. The usual way on POSIX and Windows is
 * aws_default_session (port/default_session.h), which puts them together in boto3's order. */

/* A provider's result besides 0, AWS_AGAIN and errors: it is not set up here. A chain then asks
 * the next one; a session without a chain has no keys. */
enum { AWS_KEYS_NONE = 1 };

/* The environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and
 * AWS_CREDENTIAL_EXPIRATION. Without any provider a session reads it by itself. */
AWS_API const aws_provider *aws_keys_environment(void);

/* Keys that don't change; keys and strings stay yours. */
typedef struct aws_keys_fixed {
    aws_provider    provider;
    const aws_keys *keys;
} aws_keys_fixed;
AWS_API const aws_provider *aws_keys_fixed_init(aws_keys_fixed *source, const aws_keys *keys);

/* Several sources: the first one that has keys, which is then asked for the next ones, too. */
typedef struct aws_keys_chain {
    aws_provider provider;
    const aws_provider *const *sources;
    size_t count;
    size_t at; /* sources[at] is asked; it is the one in use once a call was signed */
} aws_keys_chain;
AWS_API const aws_provider *aws_keys_chain_init(aws_keys_chain *chain,
                                                const aws_provider *const *sources, size_t count);

/* A role to assume at STS. */
typedef struct aws_role {
    const char *arn;
    const char *session_name; /* default "aws.h" */
    const char *external_id;  /* default none */
    const char *duration;     /* seconds as text; default the service's, 3600 */
} aws_role;

/* The two files that AWS's tools share, in memory: the text of ~/.aws/config and of
 * ~/.aws/credentials, each NULL and 0 if there is none. */
typedef struct aws_files {
    const char *config;
    size_t      config_size;
    const char *credentials;
    size_t      credentials_size;
} aws_files;

/* Where a profile's keys come from, or those that its first role is assumed with. */
enum {
    AWS_FROM_NOTHING = 0,
    AWS_FROM_CREDENTIALS,  /* aws_settings.keys, of the credentials file */
    AWS_FROM_CONFIG,       /* aws_settings.keys, of the config file */
    AWS_FROM_PROCESS,      /* .process */
    AWS_FROM_WEB_IDENTITY, /* .token_file and .web_role */
    AWS_FROM_ENVIRONMENT,  /* credential_source, this one and the two below */
    AWS_FROM_CONTAINER,
    AWS_FROM_INSTANCE
};
enum { AWS_ROLES = 4 }; /* one after the other */

/* What the files say about a profile. Strings lie in the memory given; NULL: not said. */
struct aws_settings {
    const char *profile;
    const char *region;
    const char *ca_bundle;        /* for aws_trust_load */
    const char *retry_mode;
    const char *max_attempts;
    const char *addressing_style; /* of the nested s3 = */
    const char *endpoint_url;
    const char *endpoints;        /* of services =: id NUL URL NUL ... NUL */
    unsigned    from;             /* AWS_FROM_* */
    aws_keys    keys;
    const char *process;
    const char *token_file;
    aws_role    web_role;
    aws_role    roles[AWS_ROLES]; /* assumed in this order */
    size_t      role_count;
    int         reason;    /* of the error: AWS_REASON_* */
    const char *file;      /* "config" or "credentials": where something is malformed, */
    unsigned    line;      /* and its number */
    char        value[72]; /* the profile or value that is wrong */
    size_t      used;      /* bytes of the memory */
    size_t      needed;    /* AWS_ERR_MEMORY: bytes that would do */
};

/* Read a profile by boto3's rules. 0, also if no file has a word about profile "default";
 * AWS_ERR_CREDENTIALS: see reason; AWS_ERR_MEMORY: see needed, little
 * more than the size of both files. The files aren't needed any more afterwards; wipe them. */
AWS_API int aws_settings_read(aws_settings *settings, const aws_files *files, const char *profile,
                              void *memory, size_t size);
/* A single value: 1 and it is in to, NUL-terminated; 0 none; AWS_ERR_MEMORY, AWS_ERR_PARAM.
 * nested: of a value that is a block of its own such as "addressing_style" of key "s3", or NULL. */
AWS_API int aws_files_value(const aws_files *files, const char *profile, const char *key,
                            const char *nested, char *to, size_t room);
/* For aws_config.endpoint_of: aws_config.settings' endpoint of a service, NULL none. */
AWS_API const char *aws_settings_endpoint(const aws_config *config, const char *service_id);

/* -- Sources that ask a server --
 *
 * They ask through the client whose call needs keys: its kept connection is closed, its connection
 * memory lent, its timeouts and its deadline hold. memory is where keys are kept, those in use and
 * those that come: AWS_KEYS_MEMORY does for session tokens of 1,500 bytes; too little is
 * AWS_ERR_MEMORY with failure.needed, nothing is ever cut. Redirects aren't followed, answers of
 * HTTP/1.0 are refused. */
#define AWS_KEYS_MEMORY 6144u

/* Wipe what any of the sources below holds. After aws_session_close. */
AWS_API void aws_keys_close(const aws_provider *source);

/* Private: what they share. */
typedef struct aws_i_asker {
    aws_provider   provider; /* first */
    unsigned char *memory;
    size_t         part; /* bytes of each part of the memory */
    unsigned char  parts, in_use, state, asking, role;
    size_t         filled;
    aws_client    *lender;
    aws_keys       keys; /* their strings lie in memory */
    const aws_identity *identity;
    aws_session    session;
    aws_client     client;
    aws_i_item     items[8];
    const char    *endpoint; /* scheme, host and port: NULL, the caller's or url */
    char           url[96];
    void          *secret; /* what else aws_keys_close wipes, NULL nothing */
    size_t         secret_size;
} aws_i_asker;

/* Reads a whole file into to[room]: its size, AWS_ERR_MEMORY if it is larger, or another error. */
typedef int (*aws_file_reader)(void *context, const char *path, void *to, size_t room);

/* EC2's instance metadata, version 2: the keys of the instance's role. Nothing is set up if
 * AWS_EC2_METADATA_DISABLED is "true" or nobody answers within a second. */
typedef struct aws_keys_imds {
    aws_i_asker ask;      /* private */
    int         allow_v1; /* set after init: also ask servers that know no tokens */
    const char *endpoint; /* set after init: default http://169.254.169.254 */
    char        token[128], role[72], path[128]; /* private */
} aws_keys_imds;
AWS_API const aws_provider *aws_keys_imds_init(aws_keys_imds *source, void *memory, size_t size);

/* A container's agent (ECS, EKS): AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with
 * AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or _TOKEN. Only https, loopback and the agents' addresses
 * are asked. */
typedef struct aws_keys_container {
    aws_i_asker     ask;  /* private */
    aws_file_reader read; /* set after init: for the token's file; aws_posix_read */
    void           *read_context;
    const char     *path; /* private */
} aws_keys_container;
AWS_API const aws_provider *aws_keys_container_init(aws_keys_container *source, void *memory,
                                                    size_t size);

/* Roles assumed at STS, one after the other: the first one with the keys of base, each further one
 * with those of the role before it. With more than one, the memory is divided by three. */
typedef struct aws_keys_role {
    aws_i_asker         ask; /* private */
    const aws_provider *base;
    const aws_role     *roles;
    size_t              count;
    const char         *endpoint; /* set after init: of STS; default as for a client of it */
    /* private */
    aws_keys    with;
    aws_request request;
    aws_pair    form[5];
} aws_keys_role;
AWS_API const aws_provider *aws_keys_role_init(aws_keys_role *source, const aws_provider *base,
                                               const aws_role *roles, size_t count, void *memory,
                                               size_t size);

/* A role assumed with an identity token (EKS, CI systems), which is read anew each time. token_file
 * and role.arn NULL: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN with AWS_ROLE_SESSION_NAME. The
 * memory is divided by three; a third takes the token, too. */
typedef struct aws_keys_web_identity {
    aws_i_asker     ask; /* private */
    aws_role        role;
    const char     *token_file;
    aws_file_reader read;
    void           *read_context;
    const char     *endpoint; /* set after init: of STS; default as for a client of it */
    /* private */
    aws_request request;
    aws_pair    form[5];
} aws_keys_web_identity;
AWS_API const aws_provider *aws_keys_web_identity_init(aws_keys_web_identity *source,
                                                       const aws_role *role, const char *token_file,
                                                       aws_file_reader read, void *read_context,
                                                       void *memory, size_t size);

/* AWS IoT Core's credential provider: the device's certificate, shown in the TLS handshake, gets
 * the keys of the role behind an alias. All strings and identity stay yours. */
typedef struct aws_keys_iot {
    aws_i_asker ask; /* private */
    const char *host;       /* "https://<prefix>.credentials.iot.<region>.amazonaws.com" */
    const char *role_alias;
    const char *thing_name; /* NULL: not sent */
} aws_keys_iot;
AWS_API const aws_provider *aws_keys_iot_init(aws_keys_iot *source, const char *host,
                                              const char *role_alias, const char *thing_name,
                                              const aws_identity *identity, void *memory,
                                              size_t size);

/* ---- Sessions of directory buckets (S3 Express) ----
 *
 * Calls for a directory bucket (NAME--ZONE--x-s3) are then signed with the short-lived keys of a
 * session, as boto3 does it: CreateSession runs by itself, over the same connection, before the
 * call that needs it; from 45 seconds before a session ends a new one is asked for, from 10 on it
 * must come. A failure of it is the call's, with "CreateSession" as failure.operation. Sessions of
 * the last two buckets are kept, and wiped by aws_client_close. Without an aws_s3_express each call
 * is signed with the keys of aws_session, which directory buckets also take.
 *
 *     static aws_s3_express express;                    // 3.3 KB, 2.7 KB on 32 bits
 *     static char memory[AWS_S3_EXPRESS_MEMORY];        // for two answers of CreateSession
 *     config.addresses = &addresses;                    // {aws_s3_addresses, 0}
 *     aws_client_init(&s3, ...);
 *     aws_s3_express_init(&express, &s3, memory, sizeof memory);
 *
 * One for each client, in place until the client is closed; after another aws_client_init, init it
 * again. Actions on buckets themselves (create, delete, list, configurations), copies and
 * create_session are signed with the session's own keys, as AWS wants it. Presigned URLs have the
 * session's keys and end with it, within 5 minutes; to make one may take a CreateSession, which
 * only an idle client asks for (else AWS_ERR_BUSY). */
typedef struct aws_s3_express {
    const char *mode; /* set after init: "ReadOnly"; NULL: the bucket's default, "ReadWrite" */
    /* private */
    int (*use)(aws_client *client, aws_client *lender);
    unsigned char *memory;
    size_t         part;
    unsigned char  last, asking;
    struct {
        aws_keys keys; /* their strings lie in memory */
        int      tried;
        char     bucket[64];
    } kept[2];
    aws_session session;
    aws_client  client;
    aws_i_item  items[8];
} aws_s3_express;

/* Tokens of about 1,500 bytes fit; what doesn't is AWS_ERR_MEMORY with failure.needed. */
#define AWS_S3_EXPRESS_MEMORY 4096u

/* 0, or an error: the client's own, or AWS_ERR_PARAM without addresses. */
AWS_API int aws_s3_express_init(aws_s3_express *express, aws_client *client, void *memory,
                                size_t size);

#ifdef __cplusplus
}
#endif

#ifdef AWS_I_PORT_HEADER
#include AWS_I_PORT_HEADER
#endif

#endif /* AWS_INCLUDED */

#if defined(AWS_IMPLEMENTATION) && !defined(AWS_IMPLEMENTED)
#define AWS_IMPLEMENTED

#include <string.h>

#ifdef AWS_I_PORT_HEADER
#include AWS_I_PORT_HEADER /* its second half, if only the declarations had been included */
#endif

/* BearSSL's headers and tables aren't written for our warnings. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#endif
#include <bearssl.h>
#if !defined(AWS_NO_DEFAULT_PORT) && defined(__x86_64__) && \
    (defined(__SHA__) || (defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11))
#define AWS_I_X86
#include <immintrin.h>
#endif
#if defined(AWS_I_X86) && !defined(AWS_SHA256_HEADER) && !defined(AWS_SMALL_SHA256)
#define AWS_SHA256_HEADER "port/sha256_x86.h"
#endif
#if !defined(AWS_NO_TLS) && !defined(AWS_NO_ROOTS)
#include "port/amazon_roots.h"
#endif
#ifndef AWS_NO_JSON
/* jsmn, with names of ours: a user's own jsmn.h, with any macros, isn't touched. */
#ifdef JSMN_H
#define AWS_I_HAD_JSMN_H
#undef JSMN_H
#endif
#ifdef JSMN_STATIC
#define AWS_I_HAD_JSMN_STATIC
#undef JSMN_STATIC
#endif
#ifdef JSMN_STRICT
#define AWS_I_HAD_JSMN_STRICT
#undef JSMN_STRICT
#endif
#ifdef JSMN_PARENT_LINKS
#define AWS_I_HAD_JSMN_PARENT_LINKS
#undef JSMN_PARENT_LINKS
#endif
#ifdef JSMN_HEADER
#define AWS_I_HAD_JSMN_HEADER
#undef JSMN_HEADER
#endif
#undef JSMN_API
#define JSMN_STATIC
#define JSMN_STRICT
#define jsmntype_t aws_i_jsmntype
#define jsmnerr aws_i_jsmnerr
#define jsmntok_t aws_i_jsmntok
#define jsmn_parser aws_i_jsmn_parser
#define jsmn_init aws_i_jsmn_init
#define jsmn_parse aws_i_jsmn_parse
#define jsmn_alloc_token aws_i_jsmn_alloc_token
#define jsmn_fill_token aws_i_jsmn_fill_token
#define jsmn_parse_primitive aws_i_jsmn_parse_primitive
#define jsmn_parse_string aws_i_jsmn_parse_string
#define JSMN_UNDEFINED AWS_I_JSMN_UNDEFINED
#define JSMN_OBJECT AWS_I_JSMN_OBJECT
#define JSMN_ARRAY AWS_I_JSMN_ARRAY
#define JSMN_STRING AWS_I_JSMN_STRING
#define JSMN_PRIMITIVE AWS_I_JSMN_PRIMITIVE
#define JSMN_ERROR_NOMEM AWS_I_JSMN_ERROR_NOMEM
#define JSMN_ERROR_INVAL AWS_I_JSMN_ERROR_INVAL
#define JSMN_ERROR_PART AWS_I_JSMN_ERROR_PART
#include <jsmn.h>
#undef jsmntype_t
#undef jsmnerr
#undef jsmntok_t
#undef jsmn_parser
#undef jsmn_init
#undef jsmn_parse
#undef jsmn_alloc_token
#undef jsmn_fill_token
#undef jsmn_parse_primitive
#undef jsmn_parse_string
#undef JSMN_UNDEFINED
#undef JSMN_OBJECT
#undef JSMN_ARRAY
#undef JSMN_STRING
#undef JSMN_PRIMITIVE
#undef JSMN_ERROR_NOMEM
#undef JSMN_ERROR_INVAL
#undef JSMN_ERROR_PART
#undef JSMN_H
#undef JSMN_STATIC
#undef JSMN_STRICT
#undef JSMN_API
#ifdef AWS_I_HAD_JSMN_H
#define JSMN_H
#ifdef AWS_I_HAD_JSMN_STATIC
#define JSMN_API static
#else
#define JSMN_API extern
#endif
#undef AWS_I_HAD_JSMN_H
#endif
#ifdef AWS_I_HAD_JSMN_STATIC
#define JSMN_STATIC
#undef AWS_I_HAD_JSMN_STATIC
#endif
#ifdef AWS_I_HAD_JSMN_STRICT
#define JSMN_STRICT
#undef AWS_I_HAD_JSMN_STRICT
#endif
#ifdef AWS_I_HAD_JSMN_PARENT_LINKS
#define JSMN_PARENT_LINKS
#undef AWS_I_HAD_JSMN_PARENT_LINKS
#endif
#ifdef AWS_I_HAD_JSMN_HEADER
#define JSMN_HEADER
#undef AWS_I_HAD_JSMN_HEADER
#endif
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* Shorter code than -Os alone makes of it. */
#if defined(AWS_SMALL) && defined(__GNUC__) && !defined(__clang__) && defined(__arm__)
#define AWS_I_SHORT /* here and in service headers */
#pragma GCC push_options
#pragma GCC optimize("no-move-loop-invariants", "no-tree-loop-optimize", "no-if-conversion", \
                     "no-caller-saves", "no-tree-tail-merge", "no-partial-inlining", \
                     "no-schedule-insns2")
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* For small code: a function that costs more as a part of its only caller. */
#if defined(__GNUC__) && defined(__OPTIMIZE_SIZE__)
#define AWS_I_APART __attribute__((noinline))
#else
#define AWS_I_APART
#endif

/* A function for what is rare, that would make its only caller slower. */
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define AWS_I_RARE __attribute__((noinline, cold))
#else
#define AWS_I_RARE
#endif

/* Casts that C++ wants, once. */
static const unsigned char *aws_i_bytes(const void *data)
{
    return (const unsigned char *)data;
}

static size_t aws_i_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* An int is 16 bits on small machines: no count may exceed it. */
static size_t aws_i_int_max(size_t size)
{
    return aws_i_min(size, (size_t)(((unsigned)-1) >> 1));
}

static void aws_i_wipe(void *data, size_t size)
{
#if defined(__GNUC__)
    if (size)
        memset(data, 0, size);
    __asm__ __volatile__("" : : "r"(data) : "memory"); /* which may read it: it isn't left out */
#else
    volatile unsigned char *byte = (volatile unsigned char *)data;
    while (size--)
        *byte++ = 0;
#endif
}

static int aws_i_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static int aws_i_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int aws_i_alnum(int c)
{
    unsigned u = (unsigned)c;

    return u - '0' < 10 || (u | 32) - 'a' < 26;
}

static int aws_i_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static int aws_i_equal_nocase(const char *a, const char *b)
{
    while (*a && (*a == *b || aws_i_lower((unsigned char)*a) == aws_i_lower((unsigned char)*b))) {
        a++;
        b++;
    }
    return *a == *b;
}

/* A list is texts one after the other, each ended by NUL, the last one empty: no pointers, and in
 * flash only if the function that has it is used. */
static const char *aws_i_list_at(const char *list, int index)
{
    while (index-- > 0)
        list += strlen(list) + 1;
    return list;
}

/* The index of a text in a list, -1 if it isn't there. */
static int aws_i_list_find(const char *list, const char *text)
{
    int index = 0;

    for (; *list; list += strlen(list) + 1, index++)
        if (aws_i_equal(list, text))
            return index;
    return -1;
}

/* Where the second text begins in the first, or NULL: libc's takes 1.3 KB to be fast. */
static const char *aws_i_within(const char *text, const char *part)
{
    size_t size = strlen(part);

    for (; *text; text++)
        if (strncmp(text, part, size) == 0)
            return text;
    return NULL;
}

/* Texts of which both the core and what a program may leave out speak. A literal would be in the
 * program with all the literals of whichever function the compiler takes first. */
static const char aws_i_text_true[] = "true";
static const char aws_i_text_https[] = "https://";
static const char aws_i_text_http[] = "http://";
static const char aws_i_text_crlf[] = "\r\n";
static const char aws_i_text_end[] = "\r\n\r\n"; /* of a head */
static const char aws_i_text_get[] = "GET";
static const char aws_i_text_keys[] = "Credentials";
static const char aws_i_text_host[] = "host";
static const char aws_i_text_unsigned[] = "UNSIGNED-PAYLOAD";
static const char aws_i_text_token[] = "x-amz-security-token";
static const char aws_i_text_type[] = "content-type";
static const char aws_i_text_us[] = "us-east-1";
static const char aws_i_text_bucket[] = "Bucket";
static const char aws_i_text_dot[] = ".";
static const char aws_i_text_arn[] = "arn:";

/* ---- Hashes: SHA-256 may come from elsewhere ---- */

#ifdef AWS_SHA256_HEADER
/* Defines the type aws_i_sha256 and static aws_i_sha256_init(aws_i_sha256 *),
 * aws_i_sha256_update(aws_i_sha256 *, const void *, size_t), aws_i_sha256_final(aws_i_sha256 *,
 * unsigned char[32]). */
#include AWS_SHA256_HEADER
#else
typedef br_sha256_context aws_i_sha256;

static void aws_i_sha256_init(aws_i_sha256 *sha)
{
    br_sha256_init(sha);
}

static void aws_i_sha256_update(aws_i_sha256 *sha, const void *data, size_t size)
{
    br_sha256_update(sha, data, size);
}

static void aws_i_sha256_final(aws_i_sha256 *sha, unsigned char digest[32])
{
    br_sha256_out(sha, digest);
}
#endif

/* For aws_out.hash. */
static void aws_i_hash_sha256(void *context, const void *data, size_t size)
{
    aws_i_sha256_update((aws_i_sha256 *)context, data, size);
}

#if defined(__GNUC__)
#define AWS_I_NOINLINE __attribute__((noinline))
#else
#define AWS_I_NOINLINE
#endif

/* The hash keeps its states on the stack, and doesn't wipe them: what its functions took below this
 * one's caller is overwritten. It is less than what signing takes in any case. */
static AWS_I_NOINLINE void aws_i_burn(void)
{
    volatile size_t stack[48 + 256 / sizeof(size_t)];
    size_t i;

    for (i = 0; i < sizeof stack / sizeof *stack; i++)
        stack[i] = 0;
}

/* A key's two states after its pads: what HMAC with it begins with. */
typedef struct aws_i_key_states {
    aws_i_sha256 inner, outer;
} aws_i_key_states;

static AWS_I_APART void aws_i_key_pad(aws_i_sha256 *sha, unsigned char pad[64], int change)
{
    size_t i;

    for (i = 0; i < 64; i++)
        pad[i] = (unsigned char)(pad[i] ^ change);
    aws_i_sha256_init(sha);
    aws_i_sha256_update(sha, pad, 64);
}

/* A key as HMAC wants it: prefix and key one after the other (SigV4 puts "AWS4" before the secret),
 * with zeros behind them; longer ones by their hash. */
static void aws_i_key_block(unsigned char block[64], aws_i_sha256 *sha, const char *prefix,
                            const void *key, size_t size)
{
    size_t length = strlen(prefix);

    memset(block, 0, 64);
    if (length + size <= 64) {
        memcpy(block, prefix, length);
        memcpy(block + length, key, size);
    } else {
        aws_i_sha256_init(sha);
        aws_i_sha256_update(sha, prefix, length);
        aws_i_sha256_update(sha, key, size);
        aws_i_sha256_final(sha, block);
    }
}

/* The key is such a block, which is wiped. */
static void aws_i_key_init(aws_i_key_states *states, unsigned char key[64])
{
    aws_i_key_pad(&states->inner, key, 0x36);
    aws_i_key_pad(&states->outer, key, 0x36 ^ 0x5c);
    aws_i_wipe(key, 64);
}

/* From a hash that began with the inner state to the code. sha may be that state itself. */
static void aws_i_key_final(const aws_i_key_states *states, aws_i_sha256 *sha,
                            unsigned char digest[32])
{
    aws_i_sha256_final(sha, digest);
    *sha = states->outer;
    aws_i_sha256_update(sha, digest, 32);
    aws_i_sha256_final(sha, digest);
    aws_i_wipe(sha, sizeof *sha);
    aws_i_burn();
}

/* ---- Checksums ---- */

#if !defined(AWS_SMALL_CRC) && defined(__arm__) && !defined(__linux__)
#define AWS_SMALL_CRC
#endif

#ifdef AWS_SMALL_CRC
typedef uint32_t aws_i_crc32_table;
typedef uint64_t aws_i_crc64_table;
#define AWS_I_CRC_TABLE(type, name, polynomial) static const type name[1] = {polynomial};

/* The CRCs shift to the right: a polynomial's lowest bit stands for its highest power. */
static void aws_i_crc32_run(uint32_t *crc, const aws_i_crc32_table *polynomial,
                            const unsigned char *data, size_t size)
{
    uint32_t c = *crc;
    int bit;

    while (size--) {
        c ^= *data++;
        for (bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? *polynomial : 0);
    }
    *crc = c;
}

static void aws_i_crc64_run(uint64_t *crc, const aws_i_crc64_table *polynomial,
                            const unsigned char *data, size_t size)
{
    uint64_t c = *crc;
    int bit;

    while (size--) {
        c ^= *data++;
        for (bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? *polynomial : 0);
    }
    *crc = c;
}

AWS_I_CRC_TABLE(aws_i_crc32_table, aws_i_crc32, 0xedb88320)
AWS_I_CRC_TABLE(aws_i_crc32_table, aws_i_crc32c, 0x82f63b78)
AWS_I_CRC_TABLE(aws_i_crc64_table, aws_i_crc64nvme, 0x9a6c9329ac4bc9b5)
#undef AWS_I_X86
#else
/* Row k is what each value of 4 bits becomes after k times 4 zero bits more: the sum of what its
 * bits become, so 4 constants make a row. Two rows eat a byte; all of them, 4 bytes at once. */
typedef uint32_t aws_i_crc32_table[16];
typedef uint64_t aws_i_crc64_table[16];
#define AWS_I_CRC_ROW(a, b, c, d)                                                                 \
    {                                                                                             \
        0, a, b, (a) ^ (b), c, (a) ^ (c), (b) ^ (c), (a) ^ (b) ^ (c), d, (a) ^ (d), (b) ^ (d),    \
            (a) ^ (b) ^ (d), (c) ^ (d), (a) ^ (c) ^ (d), (b) ^ (c) ^ (d),                         \
            (a) ^ (b) ^ (c) ^ (d)                                                                 \
    }

static uint32_t aws_i_little32(const unsigned char *data)
{
    return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static void aws_i_crc32_run(uint32_t *crc, const aws_i_crc32_table *t, const unsigned char *data,
                            size_t size)
{
    uint32_t c = *crc;

    for (; size >= 4; size -= 4, data += 4) {
        c ^= aws_i_little32(data);
        c = t[7][c & 15] ^ t[6][c >> 4 & 15] ^ t[5][c >> 8 & 15] ^ t[4][c >> 12 & 15] ^
            t[3][c >> 16 & 15] ^ t[2][c >> 20 & 15] ^ t[1][c >> 24 & 15] ^ t[0][c >> 28];
    }
    for (; size; size--) {
        c ^= *data++;
        c = c >> 8 ^ t[1][c & 15] ^ t[0][c >> 4 & 15];
    }
    *crc = c;
}

static void aws_i_crc64_run(uint64_t *crc, const aws_i_crc64_table *t, const unsigned char *data,
                            size_t size)
{
    uint64_t c = *crc;

    for (; size >= 4; size -= 4, data += 4) {
        uint32_t low = (uint32_t)c ^ aws_i_little32(data);
        c = c >> 32 ^ t[7][low & 15] ^ t[6][low >> 4 & 15] ^ t[5][low >> 8 & 15] ^
            t[4][low >> 12 & 15] ^ t[3][low >> 16 & 15] ^ t[2][low >> 20 & 15] ^
            t[1][low >> 24 & 15] ^ t[0][low >> 28];
    }
    for (; size; size--) {
        c ^= *data++;
        c = c >> 8 ^ t[1][c & 15] ^ t[0][c >> 4 & 15];
    }
    *crc = c;
}

static const aws_i_crc32_table aws_i_crc32[8] = {
    AWS_I_CRC_ROW(0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
    AWS_I_CRC_ROW(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832),
    AWS_I_CRC_ROW(0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
    AWS_I_CRC_ROW(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08),
    AWS_I_CRC_ROW(0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
    AWS_I_CRC_ROW(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8),
    AWS_I_CRC_ROW(0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
    AWS_I_CRC_ROW(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef)};
static const aws_i_crc32_table aws_i_crc32c[8] = {
    AWS_I_CRC_ROW(0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78),
    AWS_I_CRC_ROW(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf),
    AWS_I_CRC_ROW(0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9),
    AWS_I_CRC_ROW(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8),
    AWS_I_CRC_ROW(0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743),
    AWS_I_CRC_ROW(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5),
    AWS_I_CRC_ROW(0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f),
    AWS_I_CRC_ROW(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6)};
static const aws_i_crc64_table aws_i_crc64nvme[8] = {
    AWS_I_CRC_ROW(0x78e0ff3b88be6f81, 0xf1c1fe77117cdf02, 0xd75adabd7a6e2d6f, 0x9a6c9329ac4bc9b5),
    AWS_I_CRC_ROW(0x7f6ef0c830358979, 0xfedde190606b12f2, 0xc962e5739841b68f, 0xa61cecb46814fe75),
    AWS_I_CRC_ROW(0xe57a831ea7f6fea3, 0xfe2c206e177a6e2d, 0xc881668f76634f31, 0xa5dbeb4db4510d09),
    AWS_I_CRC_ROW(0x8776a97d73bddf69, 0x3a3474a9bfec2db9, 0x7468e9537fd85b72, 0xe8d1d2a6ffb0b6e4),
    AWS_I_CRC_ROW(0xeafb0685f3ce7bc2, 0xe12f2b58bf0b64ef, 0xf68770e226815ab5, 0xd9d7c79715952601),
    AWS_I_CRC_ROW(0xff6e4e1f4e4038be, 0xca05ba6dc417e217, 0xa0d25288d0b85745, 0x757d8342f9e73de1),
    AWS_I_CRC_ROW(0xb301530233bd3853, 0x52db80573fede3cd, 0xa5b700ae7fdbc79a, 0x7fb7270fa7201c5f),
    AWS_I_CRC_ROW(0x8211147cbaf96306, 0x30fb0eaa2d655567, 0x61f61d545acaaace, 0xc3ec3aa8b595559c)};
#endif

#ifdef AWS_I_X86
#include "port/crc_x86.h"
#else
static size_t aws_i_crc_fold(const uint64_t fold[2], uint64_t crc, const unsigned char *data,
                             size_t size, unsigned char rest[16])
{
    (void)fold, (void)crc, (void)data, (void)size, (void)rest;
    return 0;
}
#endif

static void aws_i_crc32_init(void *context)
{
    *(uint32_t *)context = 0xffffffff;
}

static void aws_i_crc32_out(void *context, unsigned char *checksum)
{
    uint32_t crc = ~*(uint32_t *)context;
    int i;

    for (i = 3; i >= 0; i--, crc >>= 8)
        checksum[i] = (unsigned char)crc;
}

static void aws_i_crc32_take(uint32_t *crc, const aws_i_crc32_table *table, const uint64_t fold[2],
                             const unsigned char *data, size_t size)
{
    unsigned char rest[16] = {0};
    size_t taken = aws_i_crc_fold(fold, *crc, data, size, rest);

    if (taken) {
        *crc = 0;
        aws_i_crc32_run(crc, table, rest, sizeof rest);
    }
    aws_i_crc32_run(crc, table, data + taken, size - taken);
}

static void aws_i_crc32_update(void *context, const void *data, size_t size)
{
    static const uint64_t fold[] = {0x65673b4600000000, 0x9ba54c6f00000000};

    aws_i_crc32_take((uint32_t *)context, aws_i_crc32, fold, aws_i_bytes(data), size);
}

static void aws_i_crc32c_update(void *context, const void *data, size_t size)
{
    static const uint64_t fold[] = {0x3743f7bd00000000, 0x3171d43000000000};

    aws_i_crc32_take((uint32_t *)context, aws_i_crc32c, fold, aws_i_bytes(data), size);
}

static void aws_i_crc64_init(void *context)
{
    *(uint64_t *)context = ~(uint64_t)0;
}

static void aws_i_crc64_update(void *context, const void *data, size_t size)
{
    static const uint64_t fold[] = {0xeadc41fd2ba3d420, 0x21e9761e252621ac};
    uint64_t *crc = (uint64_t *)context;
    unsigned char rest[16] = {0};
    size_t taken = aws_i_crc_fold(fold, *crc, aws_i_bytes(data), size, rest);

    if (taken) {
        *crc = 0;
        aws_i_crc64_run(crc, aws_i_crc64nvme, rest, sizeof rest);
    }
    aws_i_crc64_run(crc, aws_i_crc64nvme, aws_i_bytes(data) + taken, size - taken);
}

static void aws_i_crc64_out(void *context, unsigned char *checksum)
{
    uint64_t crc = ~*(uint64_t *)context;
    int i;

    for (i = 7; i >= 0; i--, crc >>= 8)
        checksum[i] = (unsigned char)crc;
}

static void aws_i_sha1_init(void *context)
{
    br_sha1_init((br_sha1_context *)context);
}

static void aws_i_sha1_update(void *context, const void *data, size_t size)
{
    br_sha1_update((br_sha1_context *)context, data, size);
}

static void aws_i_sha1_out(void *context, unsigned char *checksum)
{
    br_sha1_out((br_sha1_context *)context, checksum);
}

static void aws_i_any_sha256_init(void *context)
{
    aws_i_sha256_init((aws_i_sha256 *)context);
}

static void aws_i_any_sha256_out(void *context, unsigned char *checksum)
{
    aws_i_sha256_final((aws_i_sha256 *)context, checksum);
}

static void aws_i_md5_init(void *context)
{
    br_md5_init((br_md5_context *)context);
}

static void aws_i_md5_update(void *context, const void *data, size_t size)
{
    br_md5_update((br_md5_context *)context, data, size);
}

static void aws_i_md5_out(void *context, unsigned char *checksum)
{
    br_md5_out((br_md5_context *)context, checksum);
}

#ifdef AWS_STATIC
#define AWS_I_CONST static const
#else
#define AWS_I_CONST const
#endif
/* The texts of constants are arrays with names: all literals in initialisers are in each program
 * that has one of them. */
#define AWS_I_DIGEST(digest, name, header, size, init, update, out)                               \
    static const char aws_i_texts_##digest[] = header "\0" name;                                  \
    AWS_I_CONST aws_digest aws_##digest = {aws_i_texts_##digest + sizeof header,                  \
                                           aws_i_texts_##digest, size, init, update, out};
AWS_I_DIGEST(crc32, "CRC32", "x-amz-checksum-crc32", 4, aws_i_crc32_init, aws_i_crc32_update,
             aws_i_crc32_out)
AWS_I_DIGEST(crc32c, "CRC32C", "x-amz-checksum-crc32c", 4, aws_i_crc32_init, aws_i_crc32c_update,
             aws_i_crc32_out)
AWS_I_DIGEST(crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8, aws_i_crc64_init,
             aws_i_crc64_update, aws_i_crc64_out)
AWS_I_DIGEST(sha1, "SHA1", "x-amz-checksum-sha1", 20, aws_i_sha1_init, aws_i_sha1_update,
             aws_i_sha1_out)
AWS_I_DIGEST(sha256, "SHA256", "x-amz-checksum-sha256", 32, aws_i_any_sha256_init,
             aws_i_hash_sha256, aws_i_any_sha256_out)
#undef AWS_I_DIGEST
static const char aws_i_texts_md5[] = "content-md5";
AWS_I_CONST aws_digest aws_content_md5 = {NULL, aws_i_texts_md5, 16,
                                          aws_i_md5_init, aws_i_md5_update, aws_i_md5_out};

/* The context of any of them. */
typedef union aws_i_sum {
    uint64_t        crc;
    aws_i_sha256    sha256;
    br_sha1_context sha1;
    br_md5_context  md5;
    unsigned char   other[112];
} aws_i_sum;

/* ---- Bytes ---- */

static AWS_I_APART void aws_i_out(aws_out *out, void *to, size_t room)
{
    out->to = (unsigned char *)to;
    out->room = room;
    out->used = out->skip = out->length = 0;
    out->hash = NULL;
    out->hash_context = NULL;
}

AWS_API void aws_out_bytes(aws_out *out, const void *data, size_t size)
{
    const unsigned char *from = aws_i_bytes(data);

    out->length += size;
    if (out->hash)
        out->hash(out->hash_context, data, size);
    if (out->skip) {
        size_t skip = aws_i_min(out->skip, size);
        out->skip -= skip;
        from += skip;
        size -= skip;
    }
    size = aws_i_min(size, out->room - out->used);
    if (size)
        memcpy(out->to + out->used, from, size);
    out->used += size;
}

AWS_API void aws_out_text(aws_out *out, const char *text)
{
    if (*text)
        aws_out_bytes(out, text, strlen(text));
}

/* By digits of 16 bits: no 64-bit division, which is a library call on small machines. */
AWS_API void aws_out_number(aws_out *out, uint64_t number)
{
    uint32_t high = (uint32_t)(number >> 32), low = (uint32_t)number;
    char digits[20];
    size_t at = sizeof digits;

    do {
        uint32_t upper = high % 10 << 16 | low >> 16;
        uint32_t lower = upper % 10 << 16 | (low & 0xffff);
        high /= 10;
        low = upper / 10 << 16 | lower / 10;
        digits[--at] = (char)('0' + lower % 10);
    } while (high | low);
    aws_out_bytes(out, digits + at, sizeof digits - at);
}

/* ten is the digit of 10, in upper or lower case. Without a branch: it may be a signature's. */
static char aws_i_digit_of(unsigned n, unsigned ten)
{
    return (char)(n + '0' + ((9 - n) >> 8 & (ten - 10 - '0')));
}

/* At most 32 bytes. */
static void aws_i_out_digits(aws_out *out, const unsigned char *data, size_t size, unsigned ten)
{
    char text[64], *to = text;

    for (; size; size--, data++) {
        *to++ = aws_i_digit_of(*data >> 4, ten);
        *to++ = aws_i_digit_of(*data & 15u, ten);
    }
    aws_out_bytes(out, text, (size_t)(to - text));
}

static void aws_i_out_hex(aws_out *out, const unsigned char *data, size_t size)
{
    aws_i_out_digits(out, data, size, 'a');
}

static void aws_i_out_base64(aws_out *out, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    while (size) {
        size_t n = aws_i_min(size, 3);
        uint32_t bits = (uint32_t)data[0] << 16 | (n > 1 ? (uint32_t)data[1] << 8 : 0) |
                        (n > 2 ? data[2] : 0);
        char four[4];
        four[0] = digits[bits >> 18];
        four[1] = digits[bits >> 12 & 63];
        four[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
        four[3] = n > 2 ? digits[bits & 63] : '=';
        aws_out_bytes(out, four, 4);
        data += n;
        size -= n;
    }
}

AWS_API void aws_out_base64(aws_out *out, const void *data, size_t size)
{
    aws_i_out_base64(out, aws_i_bytes(data), size);
}

static int aws_i_unreserved(int c, const char *keep)
{
    return aws_i_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~' ||
           (c && strchr(keep, c) != NULL);
}

AWS_API void aws_out_uri(aws_out *out, const char *text, size_t size, const char *keep)
{
    size_t i = 0;

    while (i < size) {
        size_t run = i;
        while (run < size && aws_i_unreserved((unsigned char)text[run], keep))
            run++;
        if (run > i)
            aws_out_bytes(out, text + i, run - i);
        if (run < size) {
            aws_out_bytes(out, "%25", *keep == '2' ? 3 : 1);
            aws_i_out_digits(out, aws_i_bytes(text + run++), 1, 'A');
        }
        i = run;
    }
}

AWS_API void aws_out_xml(aws_out *out, const char *text)
{
    while (*text) {
        size_t run = 0;
        unsigned char c;
        while ((c = (unsigned char)text[run]) >= 0x20 ? !strchr("&<>\"", c) : c == '\t')
            run++;
        aws_out_bytes(out, text, run);
        text += run;
        if (!c)
            break;
        text++;
        if (c == '&')
            aws_out_text(out, "&amp;");
        else if (c == '<')
            aws_out_text(out, "&lt;");
        else if (c == '>')
            aws_out_text(out, "&gt;");
        else if (c == '"')
            aws_out_text(out, "&quot;");
        else {
            static const char digits[] = "0123456789ABCDEF";
            aws_out_text(out, c > 15 ? "&#x1" : "&#x");
            aws_out_bytes(out, digits + (c & 15), 1);
            aws_out_text(out, ";");
        }
    }
}

/* Printable ASCII without spaces. */
static int aws_i_plain_text(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return 0;
    return 1;
}

/* Printable ASCII and spaces. */
static int aws_i_printable(const char *text)
{
    while (*text >= 0x20 && *text < 0x7f)
        text++;
    return !*text;
}

/* Append text to a NUL-terminated field, cut to fit; control bytes become '?'. */
static void aws_i_append(char *field, size_t room, const char *text, size_t size)
{
    size_t used = strlen(field), i;

    size = aws_i_min(size, room - 1 - used);
    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        field[used + i] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
    }
    field[used + size] = 0;
}

static void aws_i_set(char *field, size_t room, const char *text)
{
    field[0] = 0;
    if (text)
        aws_i_append(field, room, text, strlen(text));
}

/* Digits only, the whole text; 0 if it isn't a number below 2^63. */
static int aws_i_number(const char *text, uint64_t *number)
{
    uint64_t n = 0;

    if (!*text)
        return 0;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || n > (uint64_t)INT64_MAX / 10)
            return 0;
        n = n * 10 + digit;
        if (n > INT64_MAX)
            return 0;
    }
    *number = n;
    return 1;
}

/* ---- Dates ---- */

/* The day before a month, counted from 1970-01-01 on; the month, from the year 0 of the Gregorian
 * calendar on. Years that begin in March have their leap day at the end. */
static uint32_t aws_i_days(uint32_t months)
{
    uint32_t year = (months - 2) / 12, month = (months - 2) % 12, century = year / 100;

    return year * 1461 / 4 - century + century / 4 + (153 * month + 2) / 5 - 719469;
}

/* Two digits at a time, from the end on. */
AWS_API void aws_date_text(int64_t time, char text[17])
{
    enum { DAYS = 0 }; /* of a month */
    static const unsigned char radixes[] = {60, 60, 24, DAYS, 12, 100, 100};
    const unsigned char *radix = radixes;
    /* what doesn't fit 32 bits is shown as their last second, times before 1970 as their first */
    uint32_t left = (uint64_t)time > 0xffffffff ? ~(uint32_t)(time >> 63) : (uint32_t)time, two;
    char *to = text + 16;

    *to = 0;
    *--to = 'Z';
    for (; to > text; radix++) {
        if (*radix == DAYS) {
            uint32_t months = 1970 * 12 + 1 + left * 5 / 152; /* of 30.4 days: not too few */
            while ((int32_t)(two = left - aws_i_days(months)) < 1)
                months--;
            left = months;
            *--to = 'T';
        } else {
            two = left % *radix;
            left /= *radix;
        }
        two += *radix == 12; /* months are counted from 1 on */
        *--to = (char)('0' + two % 10);
        *--to = (char)('0' + two / 10);
    }
}

/* Compare text with a pattern: 'a' takes any letter, those from 'b' on take two digits into
 * numbers[0] and on, others themselves. The text may go on after the pattern. */
static int aws_i_scan(const char *text, const char *pattern, int32_t *numbers)
{
    int want, c;

    while ((want = *pattern++) != 0) {
        c = (unsigned char)*text++;
        if (want > 'a') {
            if (!aws_i_digit(c) || !aws_i_digit(*text))
                return 0;
            numbers[(size_t)want - 'b'] = (c - '0') * 10 + (*text++ - '0');
        } else if (want == 'a' ? !aws_i_alnum(c) : c != want) {
            return 0;
        }
    }
    return 1;
}

/* n: century and year, month, day, hour, minute, second. */
static int64_t aws_i_time_of(const int32_t n[7])
{
    uint32_t months = (uint32_t)(n[0] * 1200 + n[1] * 12 + n[2] - 1), first = aws_i_days(months);

    if (months < 1970 * 12 || (uint32_t)n[2] - 1 > 11 ||
        (uint32_t)n[3] - 1 >= aws_i_days(months + 1) - first || n[4] > 23 || n[5] > 59 || n[6] > 60)
        return -1;
    return (int64_t)(((first + (uint32_t)n[3]) * 24 + (uint32_t)n[4]) * 60 + (uint32_t)n[5]) * 60 +
           n[6];
}

AWS_API int64_t aws_date_parse(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int32_t n[7];

    if (!aws_i_scan(text, "bc-d-eTf:g:h", n)) {
        if (!aws_i_scan(text, "aaa, e aaa bc f:g:h GMT", n))
            return -1;
        for (n[2] = 0; n[2] < 12 && memcmp(months + n[2] * 3, text + 8, 3) != 0; n[2]++)
            continue;
        n[2]++;
    }
    return aws_i_time_of(n);
}

static void aws_i_out_count(aws_out *out, const char *before, uint64_t number, const char *after)
{
    aws_out_text(out, before);
    aws_out_number(out, number);
    aws_out_text(out, after);
}

/* ---- Signing ---- */

enum {
    AWS_I_QUERY = 1, /* value as text */
    AWS_I_QUERY_NUMBER,
    AWS_I_HEADER, /* from here on headers */
    AWS_I_HEADER_URI,
    AWS_I_HEADER_TARGET, /* value.operation */
    AWS_I_HEADER_CHUNKED,
    AWS_I_HEADER_HOST, /* from here on our own, in the order of aws_call_enter */
    AWS_I_HEADER_TEXT, /* value as it is */
    AWS_I_HEADER_PAYLOAD,
    AWS_I_HEADER_TOKEN
};

/* What is signed and sent: a client's request, or the arguments of aws_sign. */
typedef struct aws_i_view aws_i_view;

/* Where a view's parts come from: one for clients, one for aws_sign, linked only if used. */
typedef struct aws_i_source {
    const aws_i_item *(*item)(const aws_i_view *view, size_t i, aws_i_item *room);
    void (*part)(aws_out *out, const aws_i_view *view, unsigned part); /* payload or path */
    void (*value)(aws_out *out, aws_i_view *view, const aws_i_item *item);
} aws_i_source;

/* How chunks are made; see the section on them. */
struct aws_i_chunked {
    void (*plan)(aws_client *client);  /* add the headers, set the encoded size */
    void (*begin)(aws_client *client); /* an attempt, whose head is signed */
    /* As aws_i_space and aws_i_commit. */
    int (*space)(aws_client *client, unsigned char **to);
    void (*commit)(aws_client *client, const unsigned char *data, size_t size);
    int (*end)(aws_client *client);    /* the last chunk: 1, AWS_AGAIN or an error */
    void (*value)(aws_out *out, const aws_client *client, const aws_i_item *item);
};

enum {
    AWS_I_V_METHOD,
    AWS_I_V_DATE, /* of the signature, as x-amz-date */
    AWS_I_V_REGION,
    AWS_I_V_SERVICE,
    AWS_I_V_END, /* of the scope: "aws4_request" */
    AWS_I_V_KEY_ID,
    AWS_I_V_TEXTS
};

struct aws_i_view {
    const aws_i_source *source;
    const char        *texts[AWS_I_V_TEXTS];
    const aws_keys    *keys;
    const unsigned char *digest; /* of the canonical request, then the signature */
    size_t             query_count, item_count; /* query first, then headers, both sorted */
    const aws_client  *client;
    unsigned           form; /* of the items that are being written */
    const aws_signing *signing;
    unsigned char     *order; /* aws_sign's items in sorted order */
    char               date_text[17]; /* aws_sign's */
};

/* What a character counts: in lower case in names of headers, else percent-encoded. An encoded byte
 * begins with '%', below all others. */
static AWS_I_APART int aws_i_weight(const char *text, int header)
{
    int c = (unsigned char)*text;

    return header ? aws_i_lower(c) : c + (aws_i_unreserved(c, "") << 8);
}

/* Of two texts, each of which goes on in another one. */
static AWS_I_APART int aws_i_compare_texts(const char *a, const char *b, const char *a_rest,
                                           const char *b_rest, int header)
{
    for (;; a++, b++) {
        if (!*a) {
            a = a_rest;
            a_rest = "";
        }
        if (!*b) {
            b = b_rest;
            b_rest = "";
        }
        if (*a != *b || !*a) {
            int order = aws_i_weight(a, header) - aws_i_weight(b, header);
            if (order || !*a)
                return order;
        }
    }
}

/* The order that Signature Version 4 wants, 0 for headers of one name. */
static int aws_i_compare(const aws_i_item *a, const aws_i_item *b)
{
    int header = a->kind >= AWS_I_HEADER, order = header - (b->kind >= AWS_I_HEADER);

    if (!order)
        order = aws_i_compare_texts(a->prefix, b->prefix, a->name, b->name, header);
    return order || header ? order : aws_i_compare_texts(a->value, b->value, "", "", 0) | 1;
}

/* In lower case; the library's own names are, the caller's may not be. */
static void aws_i_out_lower(aws_out *out, const char *name)
{
    while (*name) {
        size_t run = 0;
        char lower;
        while (name[run] && (name[run] < 'A' || name[run] > 'Z'))
            run++;
        aws_out_bytes(out, name, run);
        name += run;
        if (*name) {
            lower = (char)aws_i_lower((unsigned char)*name++);
            aws_out_bytes(out, &lower, 1);
        }
    }
}

/* A header's value without white space at its ends; signed, inner runs count as one space. */
static void aws_i_out_trimmed(aws_out *out, const char *value, size_t size, int is_signed)
{
    size_t i, from;

    while (size && (*value == ' ' || *value == '\t')) {
        value++;
        size--;
    }
    while (size && (value[size - 1] == ' ' || value[size - 1] == '\t'))
        size--;
    for (i = from = 0; is_signed && i + 1 < size; i++) {
        int more = value[i + 1] == ' ' || value[i + 1] == '\t';
        if (value[i] == '\t' || (value[i] == ' ' && more)) {
            aws_out_bytes(out, value + from, i - from);
            aws_out_text(out, more ? "" : " ");
            from = i + 1;
        }
    }
    aws_out_bytes(out, value + from, size - from);
}

/* What a form has in it besides text: a view's texts, and parts that are written by functions. */
#define AWS_I_F_METHOD "\200"
#define AWS_I_F_DATE "\201"
#define AWS_I_F_KEY_ID "\205"
#define AWS_I_F_SCOPE "\206/\202/\203/\204" /* 20260102/eu-west-1/s3/aws4_request */
#define AWS_I_F_DIGEST "\207"
#define AWS_I_F_PAYLOAD "\210"
#define AWS_I_F_PATH "\211"        /* as it is sent */
#define AWS_I_F_SIGNED_PATH "\212" /* as it is signed */
#define AWS_I_F_QUERY "\213"       /* as it is sent, with its "?" */
#define AWS_I_F_SIGNED_QUERY "\214"
#define AWS_I_F_HEADERS "\215" /* as they are sent */
#define AWS_I_F_NAMES "\216"   /* SignedHeaders */
#define AWS_I_F_SIGNED_HEADERS "\217"

enum {
    AWS_I_F_DAY = AWS_I_V_TEXTS,
    AWS_I_F_HEX,
    AWS_I_F_BODY,
    AWS_I_F_SENT,
    AWS_I_F_SIGNED, /* SENT + 1 */
    AWS_I_F_ITEMS
};

/* How items are written, in the order from AWS_I_F_QUERY on. */
enum {
    AWS_I_I_QUERY,
    AWS_I_I_SIGNED_QUERY,
    AWS_I_I_HEADERS,
    AWS_I_I_NAMES,
    AWS_I_I_SIGNED_HEADERS,
    AWS_I_I_NAME /* for value: the name of a caller's header, in lower case */
};

static void aws_i_out_items(aws_out *out, aws_i_view *view, unsigned form)
{
    /* before the first, between two, behind the name */
    static const char marks[][3][3] = {{"?", "&", "="},
                                       {"", "&", "="},
                                       {"\r\n", "\r\n", ": "},
                                       {"", ";", ""},
                                       {"", "\n", ":"}};
    const char(*mark)[3] = marks[form], *before = mark[0];
    size_t i = 0, end = view->query_count;

    view->form = form;
    if (form >= AWS_I_I_HEADERS) {
        i = end;
        end = view->item_count;
    }
    for (; i < end; i++) {
        aws_i_item room;
        const aws_i_item *item = view->source->item(view, i, &room);
        const char *colon = mark[2];

        if (item->kind == AWS_I_HEADER_TOKEN && !view->keys->session_token)
            continue;
        if (item->again && form > AWS_I_I_HEADERS) {
            colon = ",";
        } else {
            aws_out_text(out, before);
            before = mark[1];
            aws_out_text(out, item->prefix);
            if (form < AWS_I_I_HEADERS)
                aws_out_uri(out, item->name, strlen(item->name), "");
            else if (form == AWS_I_I_HEADERS || item->kind >= AWS_I_HEADER_HOST)
                aws_out_text(out, item->name);
            else { /* may not be in lower case: written by who writes the value */
                view->form = AWS_I_I_NAME;
                view->source->value(out, view, item);
                view->form = form;
            }
        }
        if (form != AWS_I_I_NAMES) {
            aws_out_text(out, colon);
            view->source->value(out, view, item);
        }
    }
    if (form == AWS_I_I_SIGNED_HEADERS)
        aws_out_text(out, before);
}

/* What is signed and sent, in its order: form is text that goes out, and AWS_I_F_.... */
static void aws_i_out_form(aws_out *out, aws_i_view *view, const char *form)
{
    for (;;) {
        size_t run = 0;
        unsigned part;

        while (form[run] && (unsigned char)form[run] < 128)
            run++;
        aws_out_bytes(out, form, run);
        form += run;
        if (!*form)
            return;
        part = (unsigned char)*form++ - 128u;
        if (part < AWS_I_V_TEXTS)
            aws_out_text(out, view->texts[part]);
        else if (part == AWS_I_F_DAY)
            aws_out_bytes(out, view->texts[AWS_I_V_DATE], 8);
        else if (part == AWS_I_F_HEX)
            aws_i_out_hex(out, view->digest, 32);
        else if (part >= AWS_I_F_ITEMS)
            aws_i_out_items(out, view, part - AWS_I_F_ITEMS);
        else
            view->source->part(out, view, part);
    }
}

static const char aws_i_scope_end[] = "aws4_request";
static const char aws_i_target_form[] = AWS_I_F_PATH AWS_I_F_QUERY;
static const char aws_i_canonical_form[] = AWS_I_F_METHOD
    "\n" AWS_I_F_SIGNED_PATH "\n" AWS_I_F_SIGNED_QUERY "\n" AWS_I_F_SIGNED_HEADERS
    "\n" AWS_I_F_NAMES "\n" AWS_I_F_PAYLOAD;

/* The key of a day, region and service: a chain of HMACs that begins with "AWS4" and the secret. */
static void aws_i_signing_key(const aws_i_view *view, aws_i_key_states *key)
{
    unsigned char block[64];
    const char *secret = view->keys->secret_access_key;
    size_t i;

    aws_i_key_block(block, &key->inner, "AWS4", secret, strlen(secret));
    for (i = 0;; i++) {
        const char *part;
        aws_i_key_init(key, block);
        if (i == 4)
            break;
        part = view->texts[AWS_I_V_DATE + i];
        aws_i_sha256_update(&key->inner, part, i ? strlen(part) : 8);
        aws_i_key_final(key, &key->inner, block);
    }
}

/* A form's text into a hash. */
static AWS_I_APART void aws_i_hash_form(aws_i_sha256 *sha, aws_i_view *view, const char *form)
{
    aws_out out;

    aws_i_out(&out, NULL, 0);
    out.hash = aws_i_hash_sha256;
    out.hash_context = sha;
    aws_i_out_form(&out, view, form);
}

static void aws_i_canonical_digest(aws_i_view *view, aws_i_sha256 *sha, unsigned char digest[32])
{
    view->digest = digest;
    aws_i_sha256_init(sha);
    aws_i_hash_form(sha, view, aws_i_canonical_form);
    aws_i_sha256_final(sha, digest);
}

static const char aws_i_to_sign[] = "AWS4-HMAC-SHA256\n" AWS_I_F_DATE "\n" AWS_I_F_SCOPE
                                    "\n" AWS_I_F_DIGEST;

static void aws_i_signature(aws_i_view *view, const aws_i_key_states *key,
                            unsigned char signature[32])
{
    aws_i_sha256 sha;

    aws_i_canonical_digest(view, &sha, signature);
    sha = key->inner;
    aws_i_hash_form(&sha, view, aws_i_to_sign);
    aws_i_key_final(key, &sha, signature);
}

/* With a key that isn't kept. Its memory is that of the hash before, for the stack's sake. */
static void aws_i_sign(aws_i_view *view, unsigned char signature[32])
{
    aws_i_key_states key;

    aws_i_canonical_digest(view, &key.inner, signature);
    aws_i_signing_key(view, &key);
    aws_i_hash_form(&key.inner, view, aws_i_to_sign);
    aws_i_key_final(&key, &key.inner, signature);
    aws_i_wipe(&key, sizeof key);
}

#define AWS_I_AUTHORIZATION                                                                    \
    "AWS4-HMAC-SHA256 Credential=" AWS_I_F_KEY_ID "/" AWS_I_F_SCOPE                               \
    ", SignedHeaders=" AWS_I_F_NAMES ", Signature=" AWS_I_F_DIGEST

/* The client's request as a source. */
static const char aws_i_empty_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static const aws_i_item *aws_i_client_item(const aws_i_view *view, size_t i, aws_i_item *room)
{
    (void)room;
    return view->client->items + i;
}

static void aws_i_client_part(aws_out *out, const aws_i_view *view, unsigned part)
{
    const aws_client *client = view->client;
    const aws_call *call = &client->call;
    const char *bucket;

    if (part == AWS_I_F_BODY) {
        if (client->payload_text)
            aws_out_text(out, client->payload_text);
        else
            aws_i_out_hex(out, client->payload, 32);
        return;
    }
    if (call->path) {
        call->path(out, call, (int)(part - AWS_I_F_SENT));
        return;
    }
    bucket = client->virtual_host ? NULL : call->bucket;
    if (bucket) {
        aws_out_text(out, "/");
        aws_out_text(out, bucket); /* which has nothing in it to be encoded */
    }
    if (call->key || !bucket)
        aws_out_text(out, "/");
    if (call->key)
        aws_out_uri(out, call->key, strlen(call->key),
                    part == AWS_I_F_SIGNED && !(client->service->flags & AWS_SERVICE_S3) ? "25/"
                                                                                        : "/");
}

static void aws_i_out_host(aws_out *out, const aws_client *client)
{
    size_t bracket = strchr(client->host, ':') != NULL;

    aws_out_bytes(out, "[", bracket);
    aws_out_text(out, client->host);
    aws_out_bytes(out, "]", bracket);
    if (client->port_number != (client->endpoint_secure ? 443u : 80u)) {
        aws_out_text(out, ":");
        aws_out_number(out, client->port_number);
    }
}

static void aws_i_client_value(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    switch (item->kind) {
    case AWS_I_QUERY: /* which may have changed since, if it is where an iterator reads */
        aws_out_uri(out, item->value, strlen(item->value), "");
        break;
    case AWS_I_QUERY_NUMBER:
        aws_out_number(out, item->length);
        break;
    case AWS_I_HEADER_HOST:
        aws_i_out_host(out, view->client);
        break;
    case AWS_I_HEADER_TEXT:
        aws_out_text(out, item->value);
        break;
    case AWS_I_HEADER_PAYLOAD:
        view->source->part(out, view, AWS_I_F_BODY);
        break;
    case AWS_I_HEADER_TOKEN:
        aws_out_text(out, view->keys->session_token);
        break;
    default:
        view->client->given(out, view, item);
    }
}

static const aws_i_source aws_i_client_source = {aws_i_client_item, aws_i_client_part,
                                                 aws_i_client_value};

/* ---- aws_sign: the same over the caller's pairs ---- */

/* botocore leaves these out of the signature: proxies change them. */
static int aws_i_never_signed(const char *name)
{
    static const char names[] =
        "authorization\0expect\0transfer-encoding\0user-agent\0x-amzn-trace-id\0";
    const char *at;

    for (at = names; *at; at += strlen(at) + 1)
        if (aws_i_equal_nocase(at, name))
            return 1;
    return 0;
}

/* Whether the segment at `at` outlives the ".." behind it. */
static int aws_i_segment_stays(const char *at)
{
    int depth = 0;

    for (;;) {
        size_t n = strcspn(at, "/");
        at += n;
        if (!*at)
            return 1;
        at++;
        n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            if (depth-- == 0)
                return 0;
        } else if (n && !(n == 1 && *at == '.')) {
            depth++;
        }
    }
}

/* RFC 3986's removal of "." and "..", and of empty segments, as a pure function. */
static void aws_i_out_normal_path(aws_out *out, const char *path)
{
    const char *at = path;
    int any = 0, slash = 1;

    while (*at) {
        size_t n = strcspn(at, "/");
        int dots = (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.');
        if (n && !dots && aws_i_segment_stays(at)) {
            aws_out_text(out, "/");
            aws_out_uri(out, at, n, "25");
            any = 1;
        }
        slash = n ? dots : 1;
        at += n + (at[n] == '/');
        if (n && at[-1] == '/')
            slash = 1;
    }
    if (!any || slash)
        aws_out_text(out, "/");
}

/* The i-th pair as given: query first, then headers. */
static void aws_i_pair_item(const aws_signing *signing, size_t i, aws_i_item *item)
{
    int header = i >= signing->query_count;
    const aws_pair *pair = header ? signing->headers + (i - signing->query_count)
                                  : signing->query + i;

    item->prefix = "";
    item->name = pair->name;
    item->value = pair->value;
    item->length = strlen(pair->value);
    item->kind = (unsigned char)(header ? AWS_I_HEADER : AWS_I_QUERY);
    item->again = 0;
}

static const aws_i_item *aws_i_signing_item(const aws_i_view *view, size_t i, aws_i_item *item)
{
    aws_i_item before;

    aws_i_pair_item(view->signing, view->order[i], item);
    if (i > view->query_count) {
        aws_i_pair_item(view->signing, view->order[i - 1], &before);
        item->again = !aws_i_compare(item, &before);
    }
    return item;
}

static void aws_i_signing_part(aws_out *out, const aws_i_view *view, unsigned part)
{
    const aws_signing *s = view->signing;

    if (part == AWS_I_F_BODY)
        aws_out_text(out, s->payload_sha256 ? s->payload_sha256 : aws_i_empty_sha256);
    else if (s->encode_once || s->keep_path || part == AWS_I_F_SENT)
        aws_out_uri(out, s->path, strlen(s->path),
                    s->encode_once || part == AWS_I_F_SENT ? "/" : "25/");
    else
        aws_i_out_normal_path(out, s->path);
}

static void aws_i_signing_value(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    if (view->form == AWS_I_I_NAME)
        aws_i_out_lower(out, item->name);
    else if (item->kind == AWS_I_QUERY)
        aws_out_uri(out, item->value, item->length, "");
    else
        aws_i_out_trimmed(out, item->value, item->length, view->form != AWS_I_I_HEADERS);
}

static const aws_i_source aws_i_signing_source = {aws_i_signing_item, aws_i_signing_part,
                                                  aws_i_signing_value};

/* Insertion sort of the pairs by index. */
static void aws_i_view_sort(aws_i_view *view)
{
    const aws_signing *s = view->signing;
    size_t i, at;

    for (i = 0; i < s->query_count + s->header_count; i++) {
        aws_i_item item, other;

        aws_i_pair_item(s, i, &item);
        if (i >= s->query_count && aws_i_never_signed(item.name))
            continue;
        for (at = view->item_count++; at; at--) {
            aws_i_pair_item(s, view->order[at - 1], &other);
            if (aws_i_compare(&item, &other) >= 0)
                break;
            view->order[at] = view->order[at - 1];
        }
        view->order[at] = (unsigned char)i;
    }
    view->query_count = s->query_count;
}

static int aws_i_signing_complete(const aws_signing *s)
{
    return s->access_key_id && s->secret_access_key && s->region && s->service;
}

/* The view of a signing without its items. */
static void aws_i_signing_view(aws_i_view *view, const aws_signing *signing, aws_keys *keys)
{
    memset(view, 0, sizeof *view);
    memset(keys, 0, sizeof *keys);
    keys->access_key_id = signing->access_key_id;
    keys->secret_access_key = signing->secret_access_key;
    view->signing = signing;
    view->source = &aws_i_signing_source;
    view->keys = keys;
    aws_date_text(signing->time, view->date_text);
    view->texts[AWS_I_V_METHOD] = signing->method;
    view->texts[AWS_I_V_DATE] = view->date_text;
    view->texts[AWS_I_V_REGION] = signing->region;
    view->texts[AWS_I_V_SERVICE] = signing->service;
    view->texts[AWS_I_V_END] = aws_i_scope_end;
    view->texts[AWS_I_V_KEY_ID] = signing->access_key_id;
}

/* aws_sign's and aws_presign's arguments as a view, that isn't sorted yet. order: room for 64. */
static int aws_i_signing_begin(aws_i_view *view, const aws_signing *signing, aws_keys *keys,
                               unsigned char *order)
{
    if (!aws_i_signing_complete(signing) || !signing->method || !signing->path ||
        signing->query_count > 32 || signing->header_count > 32)
        return AWS_ERR_PARAM;
    aws_i_signing_view(view, signing, keys);
    view->order = order;
    return 0;
}

AWS_API int aws_sign(const aws_signing *signing, char *text, size_t size)
{
    unsigned char signature[32], order[64];
    aws_keys keys;
    aws_i_view view;
    aws_out out;

    if (aws_i_signing_begin(&view, signing, &keys, order) < 0)
        return AWS_ERR_PARAM;
    aws_i_view_sort(&view);
    aws_i_sign(&view, signature);
    aws_i_out(&out, text, size);
    aws_i_out_form(&out, &view, AWS_I_AUTHORIZATION);
    aws_out_bytes(&out, "", 1);
    return out.length > size ? AWS_ERR_MEMORY : (int)(out.used - 1);
}

AWS_API int aws_sign_text(const aws_signing *signing, const void *text, size_t size, char hex[65])
{
    unsigned char signature[32];
    aws_i_key_states key;
    aws_keys keys;
    aws_i_view view;
    aws_out out;

    if (!aws_i_signing_complete(signing))
        return AWS_ERR_PARAM;
    aws_i_signing_view(&view, signing, &keys);
    aws_i_signing_key(&view, &key);
    aws_i_sha256_update(&key.inner, text, size);
    aws_i_key_final(&key, &key.inner, signature);
    aws_i_wipe(&key, sizeof key);
    aws_i_out(&out, hex, 64);
    aws_i_out_hex(&out, signature, sizeof signature);
    hex[64] = 0;
    return 0;
}

/* ---- Presigning: the signature in the query ---- */

enum { AWS_I_WEEK = 604800, AWS_I_HOUR = 3600, AWS_I_PRESIGNED = 6 };

/* What a presigned URL adds to the query; of a directory bucket, the token has another name. */
static const char aws_i_presign_names[] = "X-Amz-Algorithm\0X-Amz-Credential\0X-Amz-Date\0"
                                          "X-Amz-Expires\0X-Amz-SignedHeaders\0"
                                          "X-Amz-Security-Token\0";
static const char aws_i_presign_session[] = "X-Amz-S3session-Token";

/* The values of those that are made of the view as they are written. */
static const char aws_i_presign_credential[] = "", aws_i_presign_headers[] = "";

/* They are members of the query like any others: the values, NULL: not sent. number: room for the
 * seconds. */
static void aws_i_presign_values(const char **values, const aws_i_view *view, uint32_t seconds,
                                 char number[11])
{
    aws_out out;

    aws_i_out(&out, number, 10);
    aws_out_number(&out, seconds);
    number[out.used] = 0;
    values[0] = "AWS4-HMAC-SHA256";
    values[1] = aws_i_presign_credential;
    values[2] = view->texts[AWS_I_V_DATE];
    values[3] = number;
    values[4] = aws_i_presign_headers;
    values[5] = view->keys->session_token;
}

/* For aws_out.hash: percent-encode into another emitter. */
static void aws_i_pipe_uri(void *context, const void *data, size_t size)
{
    aws_out_uri((aws_out *)context, (const char *)data, size, "");
}

/* The value of one that is made of the view: 1, else 0. */
static int aws_i_out_presign_value(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    aws_out pipe;

    aws_i_out(&pipe, NULL, 0);
    pipe.hash = aws_i_pipe_uri;
    pipe.hash_context = out;
    if (item->value == aws_i_presign_credential) {
        aws_i_out_form(&pipe, view, AWS_I_F_KEY_ID "/" AWS_I_F_SCOPE);
    } else if (item->value == aws_i_presign_headers) {
        aws_i_out_form(&pipe, view, AWS_I_F_NAMES);
    }
    return pipe.length != 0;
}

/* What follows the host. The NUL-terminated length may exceed the room. */
static void aws_i_out_url(aws_out *out, aws_i_view *view, int is_signed)
{
    unsigned char signature[32];

    aws_i_out_form(out, view, aws_i_target_form);
    if (is_signed) {
        aws_i_sign(view, signature);
        aws_i_out_form(out, view, "&X-Amz-Signature=" AWS_I_F_DIGEST);
    }
    aws_out_bytes(out, "", 1);
}

static void aws_i_presigned_value(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    if (!aws_i_out_presign_value(out, view, item))
        aws_i_signing_value(out, view, item);
}

static const aws_i_source aws_i_presigned_source = {aws_i_signing_item, aws_i_signing_part,
                                                    aws_i_presigned_value};

/* The host that is to be signed. NULL if there isn't exactly one, or if one of the caller's
 * parameters is one of ours. */
static const char *aws_i_presignable(const aws_signing *s)
{
    const char *host = NULL;
    size_t i;

    for (i = 0; i < s->query_count; i++)
        if (aws_i_list_find(aws_i_presign_names, s->query[i].name) >= 0 ||
            aws_i_equal(s->query[i].name, "X-Amz-Signature"))
            return NULL;
    for (i = 0; i < s->header_count; i++) {
        if (!aws_i_equal_nocase(s->headers[i].name, aws_i_text_host))
            continue;
        if (host)
            return NULL;
        host = s->headers[i].value;
    }
    return host;
}

AWS_API int aws_presign(const aws_signing *signing, char *url, size_t size)
{
    unsigned char order[64 + AWS_I_PRESIGNED];
    char seconds[11];
    const char *values[AWS_I_PRESIGNED];
    aws_pair query[32 + AWS_I_PRESIGNED];
    aws_signing s = *signing;
    aws_keys keys;
    aws_i_view view;
    aws_out out;
    const char *host;
    int i;

    if (aws_i_signing_begin(&view, &s, &keys, order) < 0 || !(host = aws_i_presignable(&s)) ||
        s.expires > AWS_I_WEEK)
        return AWS_ERR_PARAM;
    if (s.encode_once && !s.payload_sha256)
        s.payload_sha256 = aws_i_text_unsigned;
    if (s.session_token && *s.session_token)
        keys.session_token = s.session_token;
    if (s.query_count)
        memcpy(query, s.query, s.query_count * sizeof *query);
    s.query = query;
    aws_i_presign_values(values, &view, s.expires ? s.expires : (uint32_t)AWS_I_HOUR, seconds);
    for (i = 0; i < AWS_I_PRESIGNED; i++)
        if (values[i]) {
            query[s.query_count].name = aws_i_list_at(aws_i_presign_names, i);
            query[s.query_count++].value = values[i];
        }
    view.source = &aws_i_presigned_source;
    aws_i_view_sort(&view);
    aws_i_out(&out, url, size);
    aws_out_text(&out, s.http ? aws_i_text_http : aws_i_text_https);
    aws_i_out_trimmed(&out, host, strlen(host), 0);
    aws_i_out_url(&out, &view, 1);
    return out.length > size ? AWS_ERR_MEMORY : (int)(out.used - 1);
}

/* ---- Endpoints ---- */

enum { AWS_I_ENDPOINT_AWS, AWS_I_ENDPOINT_NAME, AWS_I_ENDPOINT_IP };

/* Lower-case DNS labels of at most 63 characters joined by single dots: AWS_I_ENDPOINT_NAME, or
 * AWS_I_ENDPOINT_IP for an IPv4 address, its last label being a number. 0: it isn't a host. */
static int aws_i_is_host(const char *text, size_t size)
{
    size_t i, start = 0;
    int kind = AWS_I_ENDPOINT_IP;

    if (size > 253)
        return 0;
    for (i = 0;; i++) {
        int c = i < size ? text[i] : '.';
        if (c == '.') {
            if (i - start - 1 >= 63 || text[start] == '-' || text[i - 1] == '-')
                return 0;
            if (i == size)
                return kind;
            start = i + 1;
            kind = AWS_I_ENDPOINT_IP;
        } else if (!aws_i_digit(c)) {
            if (c != '-' && (c < 'a' || c > 'z'))
                return 0;
            kind = AWS_I_ENDPOINT_NAME;
        }
    }
}

/* One such label: region or bucket as part of a host. */
static int aws_i_is_label(const char *text, size_t size)
{
    return memchr(text, '.', size) ? 0 : aws_i_is_host(text, size);
}

static int aws_i_is_region(const char *text)
{
    return !strchr(text, '.') && aws_i_is_host(text, strlen(text)) == AWS_I_ENDPOINT_NAME;
}

/* http[s]://host[:port][/] and nothing else. An IPv6 address stands in brackets. */
static int aws_i_endpoint_parse(const char *url, aws_i_endpoint *end)
{
    const char *at;

    if (strncmp(url, aws_i_text_https, 4) != 0)
        return 0;
    end->secure = url[4] == 's';
    at = url + 4 + end->secure;
    if (strncmp(at, aws_i_text_https + 5, 3) != 0)
        return 0;
    at += 3;
    end->host = at;
    if (*at == '[') {
        end->host++;
        end->size = strspn(end->host, "0123456789abcdef:.");
        end->kind = AWS_I_ENDPOINT_IP;
        at += end->size + 2;
        if (end->size < 2 || end->size > 45 || at[-1] != ']')
            return 0;
    } else {
        end->size = strcspn(at, ":/");
        end->kind = aws_i_is_host(at, end->size);
        at += end->size;
        if (!end->kind)
            return 0;
    }
    end->port = end->secure ? 443 : 80;
    if (*at == ':') {
        const char *colon = at;
        uint32_t number = 0;
        while (aws_i_digit((unsigned char)*++at))
            number = number * 10 + (uint32_t)(*at - '0');
        if (number - 1 >= 65535 || at - colon > 7)
            return 0;
        end->port = (unsigned)number;
    }
    return !at[*at == '/'];
}

/* A bucket that can be part of the host: a valid label, with dots only over plain http to a
 * custom endpoint (no wildcard certificate covers two labels). */
static int aws_i_bucket_is_host(const aws_client *client, const char *bucket)
{
    size_t size = strlen(bucket);

    return size >= 3 && size <= 63 && aws_i_is_host(bucket, size) == AWS_I_ENDPOINT_NAME &&
           (!strchr(bucket, '.') || (!client->endpoint_secure && client->custom_endpoint));
}

static int aws_i_bucket_is_valid(const char *bucket)
{
    int dots = 1; /* and nothing else: "", "." and ".." would be a path's */
    size_t i;

    for (i = 0; bucket[i]; i++) {
        if (!aws_i_alnum((unsigned char)bucket[i]) && !strchr("._-", bucket[i]))
            return 0;
        dots &= bucket[i] == '.';
    }
    return i <= 255 && !(dots && i < 3);
}

static int aws_i_is_arn(const char *bucket)
{
    return strncmp(bucket, aws_i_text_arn, 4) == 0;
}

/* Whether the call's bucket is a part of the host. */
static int aws_i_is_virtual(const aws_client *client)
{
    unsigned style = client->session->config.addressing;

    if (!client->call.bucket)
        return 0;
    if (client->call.flags & AWS_CALL_HOST_PREFIX)
        return 1;
    return !(client->call.flags & AWS_CALL_PATH_STYLE) &&
           (style == AWS_ADDRESSING_VIRTUAL || !(style | client->custom_endpoint)) &&
           client->custom_endpoint != AWS_I_ENDPOINT_IP &&
           aws_i_bucket_is_host(client, client->call.bucket);
}

/* Write the call's host and port; 0 if it doesn't fit. */
static int aws_i_target(aws_client *client)
{
    static const char domain[] = ".amazonaws.com.cn";
    const aws_addresses *more = client->session->config.addresses;
    char host[sizeof client->host];
    aws_out out;

    aws_i_out(&out, host, sizeof host - 1);
    client->virtual_host = (unsigned char)aws_i_is_virtual(client);
    if (!more || !more->host(client, more->flags, &out)) {
        if (client->virtual_host) {
            aws_out_text(&out, client->call.bucket);
            aws_out_text(&out, aws_i_text_dot);
        }
        if (client->custom_endpoint) {
            aws_out_bytes(&out, client->endpoint.host, client->endpoint.size);
        } else {
            aws_out_text(&out, client->service->endpoint_prefix);
            if (client->service->host) {
                client->service->host(client->region, &out);
            } else {
                aws_out_text(&out, aws_i_text_dot);
                aws_out_text(&out, client->region);
                aws_out_bytes(&out, domain, strncmp(client->region, "cn-", 3) == 0 ? 17 : 14);
            }
        }
    }
    host[out.used] = 0;
    client->port_number = client->endpoint.port;
    if (!aws_i_equal(host, client->host)) {
        memcpy(client->host, host, sizeof host);
        client->connection.doomed = 1;
        client->connection.resumed = 0;
    }
    return out.length < sizeof client->host;
}

/* ---- Rules: what the readers of XML and HTTP do with a byte ---- */

/* A letter or digit as a digit of up to 36, others as more. */
static unsigned aws_i_digit_value(int c)
{
    c = aws_i_lower(c);
    return aws_i_digit(c) ? (unsigned)c - '0' : c >= 'a' ? (unsigned)c - 'a' + 10 : 99;
}

enum { AWS_I_RULES_ELSE = 0x80, AWS_I_RULES_FAIL = 0xc0 };

/* The rules of a reader's state: a byte, and what it leads to. ' ' is any white space, 'a' a
 * letter, '0' a digit. At their end, from ELSE on, is what any other byte leads to; where that is
 * missing, the rules of the next state are its too. Other control characters are never right. */
static AWS_I_APART unsigned aws_i_rule(const unsigned char *rule, unsigned c)
{
    unsigned kind = c;

    if (c - '0' < 10) {
        kind = '0';
    } else if ((c | 32) - 'a' < 26) {
        kind = 'a';
    } else if (c < ' ') {
        if (!(0x2600u >> c & 1)) /* \t, \n and \r */
            return AWS_I_RULES_FAIL;
        kind = ' ';
    }
    for (;; rule += 2) {
        unsigned fits = *rule;
        if (fits >= AWS_I_RULES_ELSE)
            return fits;
        if (fits == c || fits == kind)
            return rule[1];
    }
}

/* ---- XML ---- */

/* What a byte leads to: a state, which is where its rules begin below, or something to do. */
enum {
    AWS_I_X_START = 0,                               /* a declaration may come yet */
    AWS_I_X_FAILED = AWS_I_X_START + 4,              /* nothing fits */
    AWS_I_X_CONTENT = AWS_I_X_START + 5,             /* of an element */
    AWS_I_X_CDATA = AWS_I_X_CONTENT + 5,
    AWS_I_X_CDATA_ONE = AWS_I_X_CDATA + 3,           /* after "]" */
    AWS_I_X_CDATA_TWO = AWS_I_X_CDATA_ONE + 3,
    AWS_I_X_COMMENT_END = AWS_I_X_CDATA_TWO + 3,     /* after "--" */
    AWS_I_X_PROLOG = AWS_I_X_COMMENT_END + 3,        /* before the root */
    AWS_I_X_EPILOG = AWS_I_X_PROLOG + 5,             /* behind it */
    AWS_I_X_LT = AWS_I_X_EPILOG + 5,                 /* after '<' in an element */
    AWS_I_X_START_LT = AWS_I_X_LT + 6,
    AWS_I_X_PROLOG_LT = AWS_I_X_START_LT + 2,
    AWS_I_X_EPILOG_LT = AWS_I_X_PROLOG_LT + 6,
    AWS_I_X_BANG = AWS_I_X_EPILOG_LT + 3,            /* after "<!" */
    AWS_I_X_BANG_OUT = AWS_I_X_BANG + 2,             /* DOCTYPE and ENTITY are refused */
    AWS_I_X_DASH = AWS_I_X_BANG_OUT + 3,
    AWS_I_X_DECLARATION = AWS_I_X_DASH + 3,          /* after "<?" */
    AWS_I_X_CDATA_OPEN = AWS_I_X_DECLARATION + 12,   /* after "<![" */
    AWS_I_X_ENTITY = AWS_I_X_CDATA_OPEN + 18,
    AWS_I_X_NAME = AWS_I_X_ENTITY + 9,               /* of a start tag */
    AWS_I_X_VALUE_END = AWS_I_X_NAME + 12,
    AWS_I_X_EMPTY = AWS_I_X_VALUE_END + 7,           /* after the '/' of <x/> */
    AWS_I_X_END_NAME = AWS_I_X_EMPTY + 3,            /* after "</"; then the bytes of the name */
    AWS_I_X_END_SPACE = AWS_I_X_END_NAME + 2,
    AWS_I_X_TAG = AWS_I_X_END_SPACE + 5,             /* white space in a start tag */
    AWS_I_X_COMMENT = AWS_I_X_TAG + 13,
    AWS_I_X_COMMENT_DASH = AWS_I_X_COMMENT + 3,
    AWS_I_X_ATTRIBUTE = AWS_I_X_COMMENT_DASH + 3,    /* its name */
    AWS_I_X_EQUALS = AWS_I_X_ATTRIBUTE + 12,
    AWS_I_X_QUOTE = AWS_I_X_EQUALS + 5,
    AWS_I_X_DECLARED_END = AWS_I_X_QUOTE + 7,        /* after '?' */
    AWS_I_X_DECLARED = AWS_I_X_DECLARED_END + 2,     /* after "<?xml ": anything up to "?>" */
    AWS_I_X_VALUE = AWS_I_X_DECLARED + 5,            /* in "" */
    AWS_I_X_VALUE_ONE = AWS_I_X_VALUE + 5,           /* in '' */
    AWS_I_X_END = AWS_I_X_VALUE_ONE + 5,
    AWS_I_X_FAIL = AWS_I_RULES_FAIL,
    AWS_I_X_TEXT,
    AWS_I_X_BRACKET,                                 /* of CDATA is text; this byte comes again */
    AWS_I_X_FIRST,                                   /* a start tag's name begins */
    AWS_I_X_NAME_BYTE,
    AWS_I_X_END_BYTE,                                /* of an end tag's name */
    AWS_I_X_OPENED,                                  /* a start tag ends */
    AWS_I_X_ENTITY_BYTE,
    AWS_I_X_ENTITY_END,
    AWS_I_X_OUTSIDE,                                 /* a comment ends */
    AWS_I_X_CLOSE,                                   /* <x/> ends; also between its two events */
    AWS_I_X_POP                                      /* an end tag ends; until the next event */
};

static const unsigned char aws_i_xml_rules[AWS_I_X_END] = {
    /* START */ '<', AWS_I_X_START_LT, ' ', AWS_I_X_START, AWS_I_X_FAIL,
    /* CONTENT */ '<', AWS_I_X_LT, '&', AWS_I_X_ENTITY, AWS_I_X_TEXT,
    /* CDATA */ ']', AWS_I_X_CDATA_ONE, AWS_I_X_TEXT,
    /* CDATA_ONE */ ']', AWS_I_X_CDATA_TWO, AWS_I_X_BRACKET,
    /* CDATA_TWO */ '>', AWS_I_X_CONTENT, AWS_I_X_BRACKET,
    /* COMMENT_END */ '>', AWS_I_X_OUTSIDE, AWS_I_X_FAIL,
    /* PROLOG */ '<', AWS_I_X_PROLOG_LT, ' ', AWS_I_X_PROLOG, AWS_I_X_FAIL,
    /* EPILOG */ '<', AWS_I_X_EPILOG_LT, ' ', AWS_I_X_EPILOG, AWS_I_X_FAIL,
    /* LT */ '/', AWS_I_X_END_NAME, '!', AWS_I_X_BANG, '?', AWS_I_X_FAIL,
    /* START_LT */ '?', AWS_I_X_DECLARATION,
    /* PROLOG_LT */ 'a', AWS_I_X_FIRST, '_', AWS_I_X_FIRST, ':', AWS_I_X_FIRST,
    /* EPILOG_LT */ '!', AWS_I_X_BANG_OUT, AWS_I_X_FAIL,
    /* BANG */ '[', AWS_I_X_CDATA_OPEN,
    /* BANG_OUT */ '-', AWS_I_X_DASH, AWS_I_X_FAIL,
    /* DASH */ '-', AWS_I_X_COMMENT, AWS_I_X_FAIL,
    /* DECLARATION */ 'x', AWS_I_X_DECLARATION + 3, AWS_I_X_FAIL,
    'm', AWS_I_X_DECLARATION + 6, AWS_I_X_FAIL,
    'l', AWS_I_X_DECLARATION + 9, AWS_I_X_FAIL,
    ' ', AWS_I_X_DECLARED, AWS_I_X_FAIL,
    /* CDATA_OPEN */ 'C', AWS_I_X_CDATA_OPEN + 3, AWS_I_X_FAIL,
    'D', AWS_I_X_CDATA_OPEN + 6, AWS_I_X_FAIL,
    'A', AWS_I_X_CDATA_OPEN + 9, AWS_I_X_FAIL,
    'T', AWS_I_X_CDATA_OPEN + 12, AWS_I_X_FAIL,
    'A', AWS_I_X_CDATA_OPEN + 15, AWS_I_X_FAIL,
    '[', AWS_I_X_CDATA, AWS_I_X_FAIL,
    /* ENTITY */ 'a', AWS_I_X_ENTITY_BYTE, '0', AWS_I_X_ENTITY_BYTE, '#', AWS_I_X_ENTITY_BYTE,
    ';', AWS_I_X_ENTITY_END, AWS_I_X_FAIL,
    /* NAME */ 'a', AWS_I_X_NAME_BYTE, '0', AWS_I_X_NAME_BYTE, '_', AWS_I_X_NAME_BYTE,
    ':', AWS_I_X_NAME_BYTE, '-', AWS_I_X_NAME_BYTE, '.', AWS_I_X_NAME_BYTE,
    /* VALUE_END */ '>', AWS_I_X_OPENED, ' ', AWS_I_X_TAG, '/', AWS_I_X_EMPTY, AWS_I_X_FAIL,
    /* EMPTY */ '>', AWS_I_X_CLOSE, AWS_I_X_FAIL,
    /* END_NAME */ '<', AWS_I_X_FAIL,
    /* END_SPACE */ '>', AWS_I_X_POP, ' ', AWS_I_X_END_SPACE, AWS_I_X_FAIL,
    /* TAG */ 'a', AWS_I_X_ATTRIBUTE, '_', AWS_I_X_ATTRIBUTE, ':', AWS_I_X_ATTRIBUTE,
    '>', AWS_I_X_OPENED, ' ', AWS_I_X_TAG, '/', AWS_I_X_EMPTY, AWS_I_X_FAIL,
    /* COMMENT */ '-', AWS_I_X_COMMENT_DASH, AWS_I_X_COMMENT,
    /* COMMENT_DASH */ '-', AWS_I_X_COMMENT_END, AWS_I_X_COMMENT,
    /* ATTRIBUTE */ 'a', AWS_I_X_ATTRIBUTE, '0', AWS_I_X_ATTRIBUTE, '_', AWS_I_X_ATTRIBUTE,
    ':', AWS_I_X_ATTRIBUTE, '-', AWS_I_X_ATTRIBUTE, '.', AWS_I_X_ATTRIBUTE,
    /* EQUALS */ '=', AWS_I_X_QUOTE, ' ', AWS_I_X_EQUALS, AWS_I_X_FAIL,
    /* QUOTE */ '"', AWS_I_X_VALUE, '\'', AWS_I_X_VALUE_ONE, ' ', AWS_I_X_QUOTE, AWS_I_X_FAIL,
    /* DECLARED_END */ '>', AWS_I_X_PROLOG,
    /* DECLARED */ '?', AWS_I_X_DECLARED_END, '<', AWS_I_X_FAIL, AWS_I_X_DECLARED,
    /* VALUE */ '"', AWS_I_X_VALUE_END, '<', AWS_I_X_FAIL, AWS_I_X_VALUE,
    /* VALUE_ONE */ '\'', AWS_I_X_VALUE_END, '<', AWS_I_X_FAIL, AWS_I_X_VALUE_ONE};

AWS_API void aws_xml_init(aws_xml *xml)
{
    memset(xml, 0, offsetof(aws_xml, path) + 1); /* START is 0 */
}

AWS_API int aws_xml_complete(const aws_xml *xml)
{
    return xml->state == AWS_I_X_EPILOG;
}

#ifndef AWS_SMALL
/* One byte of UTF-8: 0, or AWS_ERR_XML if it can't stand here (RFC 3629's table). utf8 is the
 * first byte of a sequence and is shifted by each: while its bit 7 is set another one follows. Only
 * before the second its lowest bit is 0. */
static int aws_i_xml_utf8(aws_xml *xml, unsigned c)
{
    unsigned sequence = xml->utf8, first = sequence & ~0x20u;

    if (sequence & 0x80) {
        /* not too long: from 0xa0 on behind 0xe0, from 0x90 on behind 0xf0; no surrogates behind
         * 0xed, and up to 0x10ffff behind 0xf4 */
        int low = c < (sequence & 0x20 ? 0x90u : 0xa0u);
        if (c >> 6 != 2 || (low ? first == 0xc0 : sequence == 0xda || sequence == 0xe8))
            return AWS_ERR_XML;
        sequence++;
    } else if (c < 0x80) {
        return 0;
    } else if (c - 0xc2 > 0xf4 - 0xc2) {
        return AWS_ERR_XML;
    } else {
        sequence = c;
    }
    xml->utf8 = (unsigned char)(sequence << 1);
    return 0;
}
#endif

static void aws_i_xml_named(aws_xml *xml, const void *name, size_t size)
{
    xml->name = (const char *)name;
    xml->name_size = size;
}

static int aws_i_xml_append(aws_xml *xml, unsigned c)
{
    if (xml->path_length >= AWS_XML_PATH - 1)
        return AWS_ERR_TOO_BIG;
    xml->path[xml->path_length++] = (char)c; /* its NUL comes with the event */
    return 0;
}

static int aws_i_xml_push(aws_xml *xml)
{
    if (xml->depth == AWS_XML_DEPTH)
        return AWS_ERR_TOO_BIG;
    if (xml->depth) /* there is room for its NUL, at least */
        xml->path[xml->path_length++] = '/';
    xml->starts[xml->depth++] = (unsigned char)xml->path_length;
    return 0;
}

static void aws_i_xml_pop(aws_xml *xml)
{
    xml->path_length = xml->starts[--xml->depth];
    xml->state = AWS_I_X_EPILOG;
    if (xml->depth) {
        xml->path_length--;
        xml->state = AWS_I_X_CONTENT;
    }
    xml->path[xml->path_length] = 0;
}

/* The character that "&...;" is, 0 if there is no such entity. */
static uint32_t aws_i_xml_entity(const char *name)
{
    /* A literal with a NUL in it isn't in a section of its own, so it has a name. */
    static const char names[] = "quot\0amp\0lt\0gt\0apos\0", meant[] = "\0\"&<>'";
    uint32_t code = 0;
    unsigned base = 10;

    if (*name != '#')
        return (unsigned char)meant[aws_i_list_find(names, name) + 1];
    if (name[1] == 'x') {
        base = 16;
        name++;
    }
    do {
        unsigned digit = aws_i_digit_value((unsigned char)*++name);
        code = code * base + digit;
        if (digit >= base || code > 0x10ffff)
            return 0;
    } while (name[1]);
    return code >> 11 == 0xd800 >> 11 ? 0 : code;
}

static int aws_i_xml_text_event(aws_xml *xml, const void *text, size_t size)
{
    xml->text = (const char *)text;
    xml->text_size = size;
    return AWS_XML_TEXT;
}

#ifndef AWS_SMALL /* what most documents have most, faster; the rules do the same */

/* Bytes are looked at in blocks where it pays: a mask has a bit of each that is none of them. */
#if defined(__GNUC__) && __SIZEOF_SIZE_T__ == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AWS_I_BLOCKS
#ifdef AWS_I_X86
enum { AWS_I_BLOCK = 16, AWS_I_BLOCK_BITS = 1 };
#else
enum { AWS_I_BLOCK = 8, AWS_I_BLOCK_BITS = 8 };
#endif

static uint64_t aws_i_xml_no_text(const unsigned char *at)
{
#ifdef AWS_I_X86
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('<')),
                                 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('&')));

    /* from 0x80 on they are negative */
    marks = _mm_or_si128(marks, _mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes));
    return (unsigned)_mm_movemask_epi8(marks);
#else
    const uint64_t ones = (uint64_t)-1 / 255;
    uint64_t word;

    /* a borrow may mark a byte too many, but only behind one that is marked */
    memcpy(&word, at, sizeof word);
    return (word | (word - ones * 0x20) | ((word ^ ones * '<') - ones) |
            ((word ^ ones * '&') - ones)) & ones * 0x80;
#endif
}

static uint64_t aws_i_xml_no_letters(const unsigned char *at)
{
#ifdef AWS_I_X86
    __m128i low = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)at),
                               _mm_set1_epi8(0x20));
    __m128i place = _mm_sub_epi8(low, _mm_set1_epi8('a'));

    low = _mm_cmpeq_epi8(place, _mm_min_epu8(place, _mm_set1_epi8(25)));
    return (unsigned)_mm_movemask_epi8(low) ^ 0xffff;
#else
    const uint64_t ones = (uint64_t)-1 / 255;
    uint64_t word, low;

    memcpy(&word, at, sizeof word);
    low = (word | ones * 0x20) & ones * 0x7f;
    return (word | ~(low + ones * (0x80 - 'a')) | (low + ones * (0x7f - 'z'))) & ones * 0x80;
#endif
}
#endif

/* The end of the plain text at the begin. */
static const unsigned char *aws_i_xml_text_end(const unsigned char *at, const unsigned char *end)
{
#ifdef AWS_I_BLOCKS
    for (; end - at >= AWS_I_BLOCK; at += AWS_I_BLOCK) {
        uint64_t found = aws_i_xml_no_text(at);
        if (found)
            return at + __builtin_ctzll(found) / AWS_I_BLOCK_BITS;
    }
#endif
    while (at < end && *at != '<' && *at != '&' && *at - 0x20u < 0x60)
        at++;
    return at;
}

static int aws_i_xml_letter(unsigned c)
{
    return (c | 32) - 'a' < 26;
}

/* The end of the letters at the begin. */
static const unsigned char *aws_i_xml_name_end(const unsigned char *at, const unsigned char *end)
{
#ifdef AWS_I_BLOCKS
    for (; end - at >= AWS_I_BLOCK; at += AWS_I_BLOCK) {
        uint64_t found = aws_i_xml_no_letters(at);
        if (found)
            return at + __builtin_ctzll(found) / AWS_I_BLOCK_BITS;
    }
#endif
    while (at < end && aws_i_xml_letter(*at))
        at++;
    return at;
}

/* The size of a quotation mark as servers write those of an ETag; 0: here is none. */
static size_t aws_i_xml_quote(const unsigned char *at, const unsigned char *end)
{
    if (end - at < 6)
        return 0;
    return memcmp(at, "&quot;", 6) == 0 ? 6 : memcmp(at, "&#34;", 5) == 0 ? 5 : 0;
}

/* Whether "</", a name and '>' stand here. */
static inline int aws_i_xml_is_end(const unsigned char *at, const unsigned char *end,
                                   const void *name, size_t size)
{
    return (size_t)(end - at) > size + 2 && at[0] == '<' && at[1] == '/' && at[size + 2] == '>' &&
           memcmp(at + 2, name, size) == 0;
}

/* If an element with this name has come as a whole, and has text only: LEAF, else 0. Decoded text
 * goes behind the path. */
static int aws_i_xml_leaf(aws_xml *xml, const unsigned char *name, size_t size)
{
    const unsigned char *end = xml->end, *text = name + size + 1;
    const unsigned char *at = aws_i_xml_text_end(text, end);
    size_t begin = xml->path_length + 1, used = begin, quote, piece = (size_t)(at - text);

    while ((quote = aws_i_xml_quote(at, end)) != 0 && piece + 1 < AWS_XML_PATH - used) {
        memcpy(xml->path + used, text, piece);
        used += piece + 1;
        xml->path[used - 1] = '"';
        text = at + quote;
        at = aws_i_xml_text_end(text, end);
        piece = (size_t)(at - text);
    }
    if (!aws_i_xml_is_end(at, end, name, size) || (used > begin && piece >= AWS_XML_PATH - used))
        return 0;
    aws_i_xml_named(xml, name, size);
    xml->at = at + size + 3;
    xml->text = (const char *)text;
    xml->text_size = piece;
    if (used > begin) {
        memcpy(xml->path + used, text, piece);
        xml->text = xml->path + begin;
        xml->text_size = used + piece - begin;
    }
    return AWS_XML_LEAF;
}

/* A tag in an element that has come as a whole, of letters only, as most are: its event. 0 if
 * the rules have to look at it; nothing has changed then. */
static int aws_i_xml_tag(aws_xml *xml)
{
    const unsigned char *name = xml->at + 1, *end = xml->end, *at;
    size_t size;

    if (name < end && *name == '/') {
        size = xml->path_length - xml->starts[xml->depth - 1];
        if (!aws_i_xml_is_end(xml->at, end, xml->path + xml->path_length - size, size))
            return 0;
        xml->at += size + 3;
        xml->state = AWS_I_X_POP;
        return AWS_XML_END;
    }
    at = aws_i_xml_name_end(name, end);
    size = (size_t)(at - name);
    if (!size || at == end || *at != '>' || xml->depth == AWS_XML_DEPTH ||
        size + xml->path_length > AWS_XML_PATH - 2)
        return 0;
    if (xml->leaves && aws_i_xml_leaf(xml, name, size))
        return AWS_XML_LEAF;
    aws_i_xml_push(xml);
    aws_i_xml_named(xml, name, size);
    memcpy(xml->path + xml->path_length, name, size);
    xml->path_length += size;
    xml->path[xml->path_length] = 0;
    xml->at = at + 1;
    return AWS_XML_START;
}

/* The next event of an element's content, 0 if the rules have to look at it. */
static int aws_i_xml_content(aws_xml *xml)
{
    const unsigned char *at = xml->at;

    if (*at == '<')
        return aws_i_xml_tag(xml);
    xml->at = aws_i_xml_text_end(at, xml->end);
    return xml->at > at ? aws_i_xml_text_event(xml, at, (size_t)(xml->at - at)) : 0;
}

#endif /* AWS_SMALL */

/* An entity has ended: its character as text, in UTF-8. */
static int aws_i_xml_entity_end(aws_xml *xml)
{
    char *end = xml->entity + sizeof xml->entity, *at = end;
    unsigned room = 0x7f; /* the bits of the first byte that are the character's */
    uint32_t code;

    xml->entity[xml->match] = 0;
    code = aws_i_xml_entity(xml->entity);
    if (!code)
        return AWS_ERR_XML;
    while (*--at = (char)(0x80 | (code & 0x3f)), code > room) {
        code >>= 6;
        room = room >> 1 & 0x1f;
    }
    *at = (char)(~room << 1 | code);
    return aws_i_xml_text_event(xml, at, (size_t)(end - at));
}

/* Go to another state by a byte, or do what has to be done: 0, an event or an error. */
static AWS_I_APART int aws_i_xml_do(aws_xml *xml, unsigned to, unsigned c)
{
    size_t name;
    int r = 0;

    switch (to) {
    case AWS_I_X_FAIL:
        return AWS_ERR_XML;
    case AWS_I_X_FIRST:
        if (aws_i_xml_push(xml) < 0)
            return AWS_ERR_TOO_BIG;
        xml->state = AWS_I_X_NAME; /* fall through */
    case AWS_I_X_NAME_BYTE:
        return aws_i_xml_append(xml, c);
    case AWS_I_X_CLOSE:
    case AWS_I_X_OPENED:
        xml->state = (unsigned char)(to == AWS_I_X_CLOSE ? AWS_I_X_CLOSE : AWS_I_X_CONTENT);
        xml->path[xml->path_length] = 0;
        if (xml->depth == 1)
            xml->root_length = xml->path_length;
        name = xml->starts[xml->depth - 1];
        aws_i_xml_named(xml, xml->path + name, xml->path_length - name);
        return AWS_XML_START;
    case AWS_I_X_POP:
        r = AWS_XML_END;
        break;
    case AWS_I_X_END_BYTE:
        return 0;
    case AWS_I_X_ENTITY_BYTE:
        if (xml->match + 1 == sizeof xml->entity)
            return AWS_ERR_XML;
        xml->entity[xml->match++] = (char)c;
        return 0;
    case AWS_I_X_ENTITY_END:
        to = AWS_I_X_CONTENT;
        r = aws_i_xml_entity_end(xml);
        break;
    case AWS_I_X_OUTSIDE: /* or in an element */
        to = xml->depth ? AWS_I_X_CONTENT : xml->root_length ? AWS_I_X_EPILOG : AWS_I_X_PROLOG;
        break;
    default:
        break;
    }
    xml->state = (unsigned char)to;
    xml->match = 0;
    return r;
}

/* Where a byte leads to. */
static unsigned aws_i_xml_rule(aws_xml *xml, unsigned c)
{
    if (xml->state == AWS_I_X_END_NAME) {
        unsigned name = (unsigned char)xml->path[xml->starts[xml->depth - 1] + xml->match];
        if (name) {
            xml->match++;
            return c == name ? AWS_I_X_END_BYTE : AWS_I_X_FAIL;
        }
    }
    return aws_i_rule(aws_i_xml_rules + xml->state, c);
}

/* Take bytes: an event, an error, or AWS_AGAIN at their end. */
static AWS_I_RARE int aws_i_xml_take(aws_xml *xml)
{
    const unsigned char *from = xml->at;
    int r = 0;

    while (!r && xml->at != xml->end) {
        unsigned c = *xml->at, to = aws_i_xml_rule(xml, c);

        if (to != AWS_I_X_TEXT && xml->at != from)
            break;
        if (to == AWS_I_X_BRACKET) {
            xml->state = (unsigned char)(xml->state - (AWS_I_X_CDATA_ONE - AWS_I_X_CDATA));
            return aws_i_xml_text_event(xml, "]", 1);
        }
#ifndef AWS_SMALL
        if (aws_i_xml_utf8(xml, c) < 0) {
            to = AWS_I_X_FAIL;
            if (xml->at != from)
                break;
        }
#endif
        xml->at++;
        if (to != AWS_I_X_TEXT) {
            from = xml->at;
            r = aws_i_xml_do(xml, to, c);
        }
    }
    if (xml->at != from)
        return aws_i_xml_text_event(xml, from, (size_t)(xml->at - from));
    if (r < 0)
        xml->state = AWS_I_X_FAILED;
    return r ? r : AWS_AGAIN;
}

/* The next event of what at..end has, AWS_AGAIN if there is none. */
static int aws_i_xml_next(aws_xml *xml)
{
    if (xml->state == AWS_I_X_CLOSE) {
        xml->state = AWS_I_X_POP;
        return AWS_XML_END;
    }
    if (xml->state == AWS_I_X_POP)
        aws_i_xml_pop(xml);
#ifndef AWS_SMALL
    if (xml->state == AWS_I_X_CONTENT && xml->at != xml->end && !(xml->utf8 & 0x80)) {
        int r = aws_i_xml_content(xml);
        if (r)
            return r;
    }
#endif
    return aws_i_xml_take(xml);
}

AWS_API int aws_xml_step(aws_xml *xml, const void *data, size_t size, size_t *used)
{
    int r;

    xml->at = aws_i_bytes(data);
    xml->end = xml->at + size;
    r = aws_i_xml_next(xml);
    *used = (size_t)(xml->at - aws_i_bytes(data));
    return r;
}

/* ---- XML by path ---- */

/* A path's next segment: a name's size, and the number behind it or 0. Returns the rest. */
static const char *aws_i_xml_segment(const char *path, size_t *size, size_t *index)
{
    int digits = 0;

    *size = strcspn(path, ".");
    *index = 0;
    path += *size;
    if (*path && aws_i_digit((unsigned char)path[1]))
        for (path++; aws_i_digit((unsigned char)*path) && digits < 9; path++, digits++)
            *index = *index * 10 + (size_t)(*path - '0');
    return path + (*path == '.');
}

AWS_API int aws_xml_find(const aws_slice *doc, const char *path, aws_slice *element)
{
    size_t at = 0, used, name, index, found = 1; /* found: depth of what the path has led to */
    const char *wanted = path;
    aws_xml xml;
    int event;

    aws_xml_init(&xml);
    element->text = NULL;
    element->size = 0;
    path = aws_i_xml_segment(path, &name, &index);
    for (;;) {
        event = aws_xml_step(&xml, doc->text + at, doc->size - at, &used);
        at += used;
        if (event < 0)
            return event != AWS_AGAIN ? event : aws_xml_complete(&xml) ? 0 : AWS_ERR_XML;
        if (event == AWS_XML_END && xml.depth == found && (element->text || found > 1)) {
            element->size = element->text ? (size_t)(doc->text + at - element->text) : 0;
            return element->text != NULL;
        }
        if (event != AWS_XML_START || element->text || xml.depth != found + 1 ||
            xml.path_length - xml.starts[found] != name ||
            memcmp(xml.path + xml.starts[found], wanted, name) != 0)
            continue;
        if (index) {
            index--;
            continue;
        }
        found++;
        if (!*path) { /* its tag has no other '<' in it */
            for (element->text = doc->text + at - 1; *element->text != '<'; element->text--)
                ;
        }
        wanted = path;
        path = aws_i_xml_segment(path, &name, &index);
    }
}

AWS_API int aws_xml_value(const aws_slice *element, char *to, size_t room)
{
    size_t at = 0, used;
    aws_xml xml;
    aws_out out;
    int event;

    aws_xml_init(&xml);
    aws_i_out(&out, to, room);
    do {
        event = aws_xml_step(&xml, element->text + at, element->size - at, &used);
        at += used;
        if (xml.depth > 1)
            return AWS_ERR_XML;
        if (event == AWS_XML_TEXT)
            aws_out_bytes(&out, xml.text, xml.text_size);
    } while (event > 0);
    if (event != AWS_AGAIN || !aws_xml_complete(&xml))
        return AWS_ERR_XML;
    aws_out_bytes(&out, "", 1);
    return out.length > room ? AWS_ERR_MEMORY : (int)aws_i_int_max(out.length - 1);
}

AWS_API int aws_xml_get(const aws_slice *xml, const char *path, char *to, size_t room)
{
    aws_slice element;
    int r = aws_xml_find(xml, path, &element);

    if (r > 0)
        return aws_xml_value(&element, to, room);
    if (room)
        to[0] = 0;
    return r;
}

/* ---- XML writer ---- */

static void aws_i_xml_fail(aws_xml_writer *w, int code)
{
    if (!w->code)
        w->code = code;
}

static void aws_i_xml_escaped(aws_xml_writer *w, const char *text)
{
    const char *at;

    for (at = text; *at; at++)
        if ((unsigned char)*at < 0x20 && !strchr("\t\n\r", *at))
            aws_i_xml_fail(w, AWS_ERR_XML);
    aws_out_xml(&w->out, text);
}

static void aws_i_xml_put_name(aws_xml_writer *w, const char *name)
{
    size_t i = 0;

    while (aws_i_alnum((unsigned char)name[i]) || (name[i] && strchr("-._:", name[i])))
        i++;
    if (name[i] || !*name || strchr("-.0123456789", *name))
        aws_i_xml_fail(w, AWS_ERR_XML);
    aws_out_text(&w->out, name);
}

/* What is inside begins. */
static void aws_i_xml_inside(aws_xml_writer *w)
{
    if (w->in_tag)
        aws_out_bytes(&w->out, ">", 1);
    w->in_tag = 0;
}

AWS_API void aws_xml_begin(aws_xml_writer *w, void *memory, size_t size)
{
    memset(w, 0, sizeof *w);
    aws_i_out(&w->out, memory, size);
}

AWS_API void aws_xml_open(aws_xml_writer *w, const char *name)
{
    if (w->depth == AWS_XML_DEPTH || (!w->depth && w->names[0]))
        aws_i_xml_fail(w, AWS_ERR_STATE); /* too deep, or a second root */
    if (w->code)
        return;
    aws_i_xml_inside(w);
    aws_out_bytes(&w->out, "<", 1);
    aws_i_xml_put_name(w, name);
    w->names[w->depth++] = name;
    w->in_tag = 1;
}

AWS_API void aws_xml_set(aws_xml_writer *w, const char *name, const char *value)
{
    if (!w->in_tag)
        aws_i_xml_fail(w, AWS_ERR_STATE);
    if (w->code || !value)
        return;
    aws_out_bytes(&w->out, " ", 1);
    aws_i_xml_put_name(w, name);
    aws_out_bytes(&w->out, "=\"", 2);
    aws_i_xml_escaped(w, value);
    aws_out_bytes(&w->out, "\"", 1);
}

AWS_API void aws_xml_text(aws_xml_writer *w, const char *text)
{
    if (!w->depth)
        aws_i_xml_fail(w, AWS_ERR_STATE);
    aws_i_xml_inside(w);
    aws_i_xml_escaped(w, text);
}

AWS_API void aws_xml_close(aws_xml_writer *w)
{
    if (!w->depth)
        aws_i_xml_fail(w, AWS_ERR_STATE);
    if (w->code)
        return;
    aws_i_xml_inside(w);
    aws_out_bytes(&w->out, "</", 2);
    aws_out_text(&w->out, w->names[--w->depth]);
    aws_out_bytes(&w->out, ">", 1);
}

AWS_API void aws_xml_put(aws_xml_writer *w, const char *name, const char *value)
{
    if (!value)
        return;
    aws_xml_open(w, name);
    aws_xml_text(w, value);
    aws_xml_close(w);
}

AWS_API void aws_xml_put_number(aws_xml_writer *w, const char *name, uint64_t value)
{
    aws_xml_open(w, name);
    aws_i_xml_inside(w);
    aws_out_number(&w->out, value);
    aws_xml_close(w);
}

AWS_API void aws_xml_put_bool(aws_xml_writer *w, const char *name, int value)
{
    aws_xml_put(w, name, value ? aws_i_text_true : "false");
}

AWS_API int aws_xml_end(aws_xml_writer *w)
{
    size_t length = w->out.length;

    aws_out_bytes(&w->out, "", 1);
    w->out.length = length;
    if (w->depth || !w->names[0])
        aws_i_xml_fail(w, AWS_ERR_STATE);
    if (w->code)
        return w->code;
    return length >= w->out.room ? AWS_ERR_MEMORY : (int)aws_i_int_max(length);
}

/* ---- JSON ---- */

/* Four hex digits' value at text[at], -1 if they aren't. */
static int32_t aws_i_json_hex(const char *text, size_t size, size_t at)
{
    int32_t code = 0;
    size_t i;

    if (size < 4 || at > size - 4)
        return -1;
    for (i = at; i < at + 4; i++) {
        int c = aws_i_lower((unsigned char)text[i]);
        if (!aws_i_digit(c) && !(c >= 'a' && c <= 'f'))
            return -1;
        code = code * 16 + (aws_i_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return code;
}

/* What a backslash at text[*at - 1] and the bytes behind it mean. */
static int32_t aws_i_json_escape(const char *text, size_t size, size_t *at)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *name;
    int32_t code, low;

    if (*at >= size || !text[*at])
        return -1;
    if (text[*at] != 'u') {
        name = strchr(names, text[(*at)++]);
        return name ? means[name - names] : -1;
    }
    code = aws_i_json_hex(text, size, ++*at);
    *at += 4;
    if (code < 0xd800 || code > 0xdfff)
        return code;
    if (code > 0xdbff || *at + 1 >= size || text[*at] != '\\' || text[*at + 1] != 'u')
        return -1; /* half of a pair */
    low = aws_i_json_hex(text, size, *at + 2);
    *at += 6;
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((code - 0xd800) * 0x400 + low - 0xdc00);
}

/* The character of a string at text[*at], which moves on; -1 if it isn't valid. */
static int32_t aws_i_json_char(const char *text, size_t size, size_t *at)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)text[(*at)++];
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0, i;
    int32_t code = c;

    if (c == '\\')
        return aws_i_json_escape(text, size, at);
    if (c < 0x80)
        return c < 0x20 ? -1 : c;
    if (!more || c > 0xf4 || size - *at < (size_t)more)
        return -1;
    code &= 0x3f >> more;
    for (i = 0; i < more; i++) {
        c = (unsigned char)text[(*at)++];
        if ((c & 0xc0) != 0x80)
            return -1;
        code = code * 64 + (c & 0x3f);
    }
    return code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? -1 : code;
}

/* As UTF-8: its bytes and their count. */
static size_t aws_i_utf8(int32_t code, unsigned char bytes[4])
{
    size_t more = code >= 0x10000 ? 3 : code >= 0x800 ? 2 : code >= 0x80 ? 1 : 0, i;

    for (i = more; i; i--) {
        bytes[i] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    bytes[0] = (unsigned char)((more ? 0xff00u >> (more + 1) & 0xff : 0u) | (unsigned)code);
    return more + 1;
}

/* The grammar, without recursion: what may come next, and a bit for each open value. */
typedef struct aws_i_json_check {
    const char   *text;
    size_t        size, at;
    unsigned      depth;
    unsigned char is_object[AWS_JSON_DEPTH / 8];
} aws_i_json_check;

enum {
    AWS_I_J_VALUE,
    AWS_I_J_ELEMENT, /* a value or ']' */
    AWS_I_J_MEMBER,  /* a name or '}' */
    AWS_I_J_NAME,
    AWS_I_J_COLON,
    AWS_I_J_NEXT, /* ',' or the end of the open value */
    AWS_I_J_BAD
};

static int aws_i_json_in_object(const aws_i_json_check *k)
{
    unsigned top = k->depth - 1;

    return k->is_object[top / 8] >> (top % 8) & 1;
}

static void aws_i_set_bit(unsigned char *bits, unsigned bit, int on)
{
    unsigned mask = 1u << (bit % 8);

    bits[bit / 8] = (unsigned char)(on ? bits[bit / 8] | mask : bits[bit / 8] & ~mask);
}

/* A string whose quote is at k->at: 1 and past it, or 0. */
static int aws_i_json_check_string(aws_i_json_check *k)
{
    for (k->at++; k->at < k->size; )
        if (k->text[k->at] == '"') {
            k->at++;
            return 1;
        } else if (aws_i_json_char(k->text, k->size, &k->at) < 0) {
            return 0;
        }
    return 0;
}

static size_t aws_i_json_digits(aws_i_json_check *k)
{
    size_t from = k->at;

    while (k->at < k->size && aws_i_digit((unsigned char)k->text[k->at]))
        k->at++;
    return k->at - from;
}

static int aws_i_json_take(aws_i_json_check *k, const char *any)
{
    int taken = k->at < k->size && k->text[k->at] && strchr(any, k->text[k->at]);

    k->at += taken != 0;
    return taken;
}

static int aws_i_json_check_number(aws_i_json_check *k)
{
    aws_i_json_take(k, "-");
    if (!aws_i_json_take(k, "0") && !aws_i_json_digits(k))
        return 0;
    if (aws_i_json_take(k, aws_i_text_dot) && !aws_i_json_digits(k))
        return 0;
    if (aws_i_json_take(k, "eE")) {
        aws_i_json_take(k, "+-");
        return aws_i_json_digits(k) != 0;
    }
    return 1;
}

static int aws_i_json_check_scalar(aws_i_json_check *k)
{
    static const char words[] = "true\0false\0null\0";
    const char *word = words;

    if (k->text[k->at] == '"')
        return aws_i_json_check_string(k);
    for (; *word; word += strlen(word) + 1)
        if (k->size - k->at >= strlen(word) && !memcmp(k->text + k->at, word, strlen(word))) {
            k->at += strlen(word);
            return 1;
        }
    return aws_i_json_check_number(k);
}

static int aws_i_json_check_value(aws_i_json_check *k, int c)
{
    if (c == '{' || c == '[') {
        if (k->depth == AWS_JSON_DEPTH)
            return AWS_I_J_BAD;
        aws_i_set_bit(k->is_object, k->depth++, c == '{');
        k->at++;
        return c == '{' ? AWS_I_J_MEMBER : AWS_I_J_ELEMENT;
    }
    return k->depth && aws_i_json_check_scalar(k) ? AWS_I_J_NEXT : AWS_I_J_BAD;
}

/* The state after the token that begins with c. */
static int aws_i_json_check_token(aws_i_json_check *k, int state, int c)
{
    int in_object = k->depth && aws_i_json_in_object(k);

    if ((state == AWS_I_J_NEXT || state == (in_object ? AWS_I_J_MEMBER : AWS_I_J_ELEMENT)) &&
        k->depth && c == (in_object ? '}' : ']')) {
        k->at++;
        k->depth--;
        return AWS_I_J_NEXT;
    }
    switch (state) {
    case AWS_I_J_MEMBER:
    case AWS_I_J_NAME:
        return c == '"' && aws_i_json_check_string(k) ? AWS_I_J_COLON : AWS_I_J_BAD;
    case AWS_I_J_COLON:
        k->at++;
        return c == ':' ? AWS_I_J_VALUE : AWS_I_J_BAD;
    case AWS_I_J_NEXT:
        k->at++;
        return c != ',' || !k->depth ? AWS_I_J_BAD : in_object ? AWS_I_J_NAME : AWS_I_J_VALUE;
    default:
        return aws_i_json_check_value(k, c);
    }
}

/* Whether the text is one object, well-formed throughout. jsmn alone takes {"a"} or {"a":1,}. */
static int aws_i_json_valid(const char *text, size_t size)
{
    aws_i_json_check k;
    int state = AWS_I_J_VALUE;

    memset(&k, 0, sizeof k);
    k.text = text;
    k.size = size;
    for (;;) {
        while (aws_i_json_take(&k, " \t\r\n"))
            ;
        if (k.at == size)
            return state == AWS_I_J_NEXT && !k.depth;
        if (state == AWS_I_J_VALUE && !k.depth && text[k.at] != '{')
            return 0;
        state = aws_i_json_check_token(&k, state, (unsigned char)text[k.at]);
        if (state == AWS_I_J_BAD)
            return 0;
    }
}

#ifndef AWS_NO_JSON
static int aws_i_json_type(const char *text, const aws_i_jsmntok *token)
{
    if (token->type == AWS_I_JSMN_OBJECT)
        return AWS_JSON_OBJECT;
    if (token->type == AWS_I_JSMN_ARRAY)
        return AWS_JSON_ARRAY;
    if (token->type == AWS_I_JSMN_STRING)
        return AWS_JSON_STRING;
    switch (text[token->start]) {
    case 't':
        return AWS_JSON_TRUE;
    case 'f':
        return AWS_JSON_FALSE;
    case 'n':
        return AWS_JSON_NULL;
    default:
        return AWS_JSON_NUMBER;
    }
}

/* Both are valid strings: whether they say the same. */
static int aws_i_json_same(const char *text, const aws_json_token *a, const aws_json_token *b)
{
    size_t i = (size_t)a->start, j = (size_t)b->start, m = (size_t)a->end, n = (size_t)b->end;

    while (i < m && j < n)
        if (aws_i_json_char(text, m, &i) != aws_i_json_char(text, n, &j))
            return 0;
    return i == m && j == n;
}

/* Whether the member whose name is `name` has a namesake before it in its object. */
static int aws_i_json_twice(const aws_json *json, int object, int name)
{
    const aws_json_token *t = json->tokens;
    int at;

    for (at = object + 1; at < name; at = t[at + 1].next)
        if (aws_i_json_same(json->text, t + at, t + name))
            return 1;
    return 0;
}

/* jsmn's tokens become ours, in their place, from the last on: then `next` of those within is
 * known. */
static void aws_i_json_convert(aws_json *json, size_t count)
{
    aws_json_token *t = json->tokens;
    size_t i = count;

    while (i--) {
        aws_i_jsmntok from;
        aws_json_token to;

        memcpy(&from, (const unsigned char *)t + i * sizeof from, sizeof from);
        to.type = aws_i_json_type(json->text, &from);
        to.start = from.start;
        to.end = from.end;
        to.next = (int)i + 1;
        if (to.type == AWS_JSON_OBJECT || to.type == AWS_JSON_ARRAY)
            while ((size_t)to.next < count && t[to.next].start < to.end)
                to.next = t[to.next].next;
        memcpy(t + i, &to, sizeof to);
    }
    json->count = count;
}

AWS_API int aws_json_parse(aws_json *json, const char *text, size_t size, aws_json_token *tokens,
                           size_t count)
{
    typedef char fits[sizeof(aws_i_jsmntok) <= sizeof(aws_json_token) ? 1 : -1];
    aws_i_jsmn_parser parser;
    int r, object;

    (void)sizeof(fits);
    json->text = text;
    json->tokens = tokens;
    json->count = 0;
    if (size != aws_i_int_max(size))
        return AWS_ERR_TOO_BIG;
    if (!aws_i_json_valid(text, size))
        return AWS_ERR_JSON;
    aws_i_jsmn_init(&parser);
    r = aws_i_jsmn_parse(&parser, text, size, NULL, 0);
    if (r <= 0 || (size_t)r > count) {
        json->count = r > 0 ? (size_t)r : 0;
        return r > 0 ? AWS_ERR_MEMORY : AWS_ERR_JSON;
    }
    aws_i_jsmn_init(&parser);
    r = aws_i_jsmn_parse(&parser, text, size, (aws_i_jsmntok *)(void *)tokens, (unsigned)r);
    if (r <= 0)
        return AWS_ERR_JSON;
    aws_i_json_convert(json, (size_t)r);
    for (object = 0; object < r; object++) {
        int name = object + 1;
        if (tokens[object].type != AWS_JSON_OBJECT)
            continue;
        for (; name < tokens[object].next; name = tokens[name + 1].next)
            if (aws_i_json_twice(json, object, name))
                return AWS_ERR_JSON;
    }
    return r;
}
#else
AWS_API int aws_json_parse(aws_json *json, const char *text, size_t size, aws_json_token *tokens,
                           size_t count)
{
    json->text = text;
    json->tokens = tokens;
    json->count = 0;
    return count && aws_i_json_valid(text, size) ? AWS_ERR_UNSUPPORTED : AWS_ERR_JSON;
}
#endif

/* Whether a string says name[size]. */
static int aws_i_json_says(const aws_json *json, int token, const char *name, size_t size)
{
    const aws_json_token *t = json->tokens + token;
    size_t at = (size_t)t->start, end = (size_t)t->end;

    while (at < end) {
        unsigned char bytes[4];
        size_t n = aws_i_utf8(aws_i_json_char(json->text, end, &at), bytes);
        if (n > size || memcmp(bytes, name, n) != 0)
            return 0;
        name += n;
        size -= n;
    }
    return !size;
}

/* Whether the index is a token's that has the type. */
static int aws_i_json_has(const aws_json *json, int token, int type)
{
    return token >= 0 && (size_t)token < json->count && json->tokens[token].type == type;
}

static int aws_i_json_member(const aws_json *json, int object, const char *name, size_t size)
{
    int value = 0;

    if (!aws_i_json_has(json, object, AWS_JSON_OBJECT))
        return 0;
    while ((value = aws_json_each(json, object, value)) != 0)
        if (aws_i_json_says(json, value - 1, name, size))
            return value;
    return 0;
}

AWS_API int aws_json_member(const aws_json *json, int object, const char *name)
{
    return aws_i_json_member(json, object, name, strlen(name));
}

AWS_API int aws_json_each(const aws_json *json, int container, int last)
{
    int object = aws_i_json_has(json, container, AWS_JSON_OBJECT), at;

    if (!object && !aws_i_json_has(json, container, AWS_JSON_ARRAY))
        return 0;
    at = last ? json->tokens[last].next : container + 1;
    return at < json->tokens[container].next ? at + object : 0;
}

AWS_API int aws_json_element(const aws_json *json, int array, size_t index)
{
    int at = 0;

    if (!aws_i_json_has(json, array, AWS_JSON_ARRAY))
        return 0;
    do
        at = aws_json_each(json, array, at);
    while (at && index--);
    return at;
}

AWS_API int aws_json_find(const aws_json *json, int from, const char *path)
{
    int first = 1;

    while (*path && (from || first)) {
        size_t size = strcspn(path, "."), index = 0, i;

        first = 0;
        if (aws_i_json_has(json, from, AWS_JSON_ARRAY)) {
            for (i = 0; i < size && aws_i_digit((unsigned char)path[i]) && i < 9; i++)
                index = index * 10 + (size_t)(path[i] - '0');
            from = i == size && i ? aws_json_element(json, from, index) : 0;
        } else {
            from = aws_i_json_member(json, from, path, size);
        }
        path += size;
        path += *path == '.';
    }
    return from;
}

AWS_API int aws_json_is(const aws_json *json, int token, const char *text)
{
    return aws_i_json_has(json, token, AWS_JSON_STRING) &&
           aws_i_json_says(json, token, text, strlen(text));
}

AWS_API int aws_json_string(const aws_json *json, int token, char *to, size_t room)
{
    size_t at, end;
    aws_out out;

    if (!aws_i_json_has(json, token, AWS_JSON_STRING))
        return AWS_ERR_JSON;
    aws_i_out(&out, to, room);
    at = (size_t)json->tokens[token].start;
    end = (size_t)json->tokens[token].end;
    while (at < end) {
        unsigned char bytes[4];
        int32_t code = aws_i_json_char(json->text, end, &at);
        if (!code)
            return AWS_ERR_JSON;
        aws_out_bytes(&out, bytes, aws_i_utf8(code, bytes));
    }
    aws_out_bytes(&out, "", 1);
    return out.length > room ? AWS_ERR_MEMORY : (int)(out.length - 1);
}

AWS_API int aws_json_bool(const aws_json *json, int token)
{
    if (aws_i_json_has(json, token, AWS_JSON_TRUE))
        return 1;
    return aws_i_json_has(json, token, AWS_JSON_FALSE) ? 0 : AWS_ERR_JSON;
}

/* A number's text taken apart: digits as an integer would need 10^shift. */
typedef struct aws_i_decimal {
    const char *digits;      /* with a '.' among them */
    size_t      size, point; /* point: where it is, size if there is none */
    int         negative;
    long        shift; /* of the exponent */
} aws_i_decimal;

/* A token's text, which must be a number to its end: 1 or 0. */
static int aws_i_json_decimal(const aws_json *json, int token, aws_i_decimal *d)
{
    aws_i_json_check k;
    const char *at, *end;
    int minus;

    if (!aws_i_json_has(json, token, AWS_JSON_NUMBER) &&
        !aws_i_json_has(json, token, AWS_JSON_STRING))
        return 0;
    memset(&k, 0, sizeof k);
    k.text = json->text + json->tokens[token].start;
    k.size = (size_t)(json->tokens[token].end - json->tokens[token].start);
    if (!aws_i_json_check_number(&k) || k.at != k.size)
        return 0;
    at = k.text;
    end = at + k.size;
    d->negative = *at == '-';
    d->digits = at + d->negative;
    for (at = d->digits; at < end && *at != 'e' && *at != 'E'; at++)
        ;
    d->size = (size_t)(at - d->digits);
    for (d->point = 0; d->point < d->size && d->digits[d->point] != '.'; d->point++)
        ;
    d->shift = 0;
    if (at == end)
        return 1;
    minus = *++at == '-';
    for (at += minus || *at == '+'; at < end; at++)
        d->shift = d->shift < 10000 ? d->shift * 10 + (*at - '0') : d->shift;
    d->shift = minus ? -d->shift : d->shift;
    return 1;
}

/* n * 10 + digit, 0 if it exceeds 2^63. */
static int aws_i_times_ten(uint64_t *n, unsigned digit)
{
    const uint64_t limit = (uint64_t)1 << 63;

    if (*n > limit / 10 || *n * 10 > limit - digit)
        return 0;
    *n = *n * 10 + digit;
    return 1;
}

/* The number times 10^decimals; exact: a digit that would be cut off must be 0. */
static int aws_i_json_fixed(const aws_json *json, int token, unsigned decimals, int exact,
                            int64_t *value)
{
    aws_i_decimal d;
    uint64_t n = 0;
    size_t i;
    long places; /* digits that count, from the first on */

    if (!aws_i_json_decimal(json, token, &d))
        return AWS_ERR_JSON;
    places = (long)d.point + d.shift + (long)decimals;
    for (i = 0; i < d.size; i++) {
        if (d.digits[i] == '.')
            continue;
        if (places-- > 0 ? !aws_i_times_ten(&n, (unsigned)(d.digits[i] - '0'))
                         : exact && d.digits[i] != '0')
            return AWS_ERR_JSON;
    }
    for (; n && places > 0; places--)
        if (!aws_i_times_ten(&n, 0))
            return AWS_ERR_JSON;
    if (n > (uint64_t)INT64_MAX + (d.negative != 0))
        return AWS_ERR_JSON;
    *value = d.negative && n ? -(int64_t)(n - 1) - 1 : (int64_t)n;
    return 0;
}

AWS_API int aws_json_int64(const aws_json *json, int token, int64_t *value)
{
    return aws_i_json_fixed(json, token, 0, 1, value);
}

AWS_API int aws_json_number(const aws_json *json, int token, unsigned decimals, int64_t *value)
{
    return aws_i_json_fixed(json, token, decimals, 0, value);
}

/* A digit's value, 64 for '=', -1 for others. */
static int aws_i_base64_value(int c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (aws_i_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : -1;
}

AWS_API int aws_json_base64(const aws_json *json, int token, void *to, size_t room)
{
    uint32_t bits = 0;
    size_t at, end, digits = 0, padding = 0;
    aws_out out;

    if (!aws_i_json_has(json, token, AWS_JSON_STRING))
        return AWS_ERR_JSON;
    aws_i_out(&out, to, room);
    at = (size_t)json->tokens[token].start;
    end = (size_t)json->tokens[token].end;
    while (at < end) {
        int value = aws_i_base64_value(aws_i_json_char(json->text, end, &at));
        unsigned char three[3];

        if (value < 0 || (padding && value != 64))
            return AWS_ERR_JSON;
        padding += value == 64;
        bits = bits << 6 | (value == 64 ? 0 : (uint32_t)value);
        if (++digits % 4)
            continue;
        three[0] = (unsigned char)(bits >> 16);
        three[1] = (unsigned char)(bits >> 8);
        three[2] = (unsigned char)bits;
        if (padding > 2)
            return AWS_ERR_JSON;
        aws_out_bytes(&out, three, 3 - padding);
    }
    if (digits % 4)
        return AWS_ERR_JSON;
    return out.length > room ? AWS_ERR_MEMORY : (int)out.length;
}

/* ---- JSON writer ---- */

static void aws_i_json_fail(aws_json_writer *w, int code)
{
    if (!w->code)
        w->code = code;
}

/* A string of `size` bytes in quotes; what needs it escaped. */
static void aws_i_json_quote(aws_json_writer *w, const char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0, from = 0;

    aws_out_bytes(&w->out, "\"", 1);
    while (at < size) {
        unsigned char c = (unsigned char)text[at];
        char escape[6] = {'\\', 'u', '0', '0', '0', '0'};

        if (c >= 0x20 && c != '"' && c != '\\') {
            if (aws_i_json_char(text, size, &at) < 0)
                aws_i_json_fail(w, AWS_ERR_JSON);
            continue;
        }
        aws_out_bytes(&w->out, text + from, at - from);
        from = ++at;
        escape[4] = digits[c >> 4];
        escape[5] = digits[c & 15];
        if (c < 0x20) {
            aws_out_bytes(&w->out, escape, 6);
        } else {
            escape[1] = (char)c;
            aws_out_bytes(&w->out, escape, 2);
        }
    }
    aws_out_bytes(&w->out, text + from, size - from);
    aws_out_bytes(&w->out, "\"", 1);
}

/* What comes before a value: a comma, its name. */
static void aws_i_json_name(aws_json_writer *w, const char *name)
{
    unsigned top = w->depth - 1;
    int in_object = w->depth && w->is_object[top / 8] >> (top % 8) & 1;

    if ((name != NULL) != in_object || (!w->depth && w->begun))
        aws_i_json_fail(w, AWS_ERR_STATE);
    if (w->begun)
        aws_out_bytes(&w->out, ",", 1);
    w->begun = 1;
    if (name) {
        aws_i_json_quote(w, name, strlen(name));
        aws_out_bytes(&w->out, ":", 1);
    }
}

AWS_API void aws_json_begin(aws_json_writer *w, void *memory, size_t size)
{
    memset(w, 0, sizeof *w);
    aws_i_out(&w->out, memory, size);
}

static void aws_i_json_open(aws_json_writer *w, const char *name, int is_object)
{
    aws_i_json_name(w, name);
    if (w->depth == AWS_JSON_DEPTH) {
        aws_i_json_fail(w, AWS_ERR_STATE);
        return;
    }
    aws_i_set_bit(w->is_object, w->depth++, is_object);
    aws_out_bytes(&w->out, &"{["[!is_object], 1);
    w->begun = 0;
}

AWS_API void aws_json_open_object(aws_json_writer *w, const char *name)
{
    aws_i_json_open(w, name, 1);
}

AWS_API void aws_json_open_array(aws_json_writer *w, const char *name)
{
    aws_i_json_open(w, name, 0);
}

AWS_API void aws_json_close(aws_json_writer *w)
{
    if (!w->depth) {
        aws_i_json_fail(w, AWS_ERR_STATE);
        return;
    }
    w->depth--;
    aws_out_text(&w->out, w->is_object[w->depth / 8] >> (w->depth % 8) & 1 ? "}" : "]");
    w->begun = 1;
}

AWS_API void aws_json_put_string(aws_json_writer *w, const char *name, const char *value)
{
    aws_i_json_name(w, name);
    aws_i_json_quote(w, value, strlen(value));
}

AWS_API void aws_json_put_raw(aws_json_writer *w, const char *name, const char *json, size_t size)
{
    aws_i_json_name(w, name);
    aws_out_bytes(&w->out, json, size);
}

/* value / 10^decimals in decimal digits. */
static void aws_i_out_decimal(aws_out *out, int64_t value, unsigned decimals)
{
    char text[21];
    uint64_t n = value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value;
    aws_out digits;

    aws_i_out(&digits, text, sizeof text);
    aws_out_number(&digits, n);
    aws_out_text(out, value < 0 ? "-" : "");
    if (decimals >= digits.used)
        aws_out_text(out, "0");
    else
        aws_out_bytes(out, text, digits.used - decimals);
    if (!decimals)
        return;
    aws_out_text(out, aws_i_text_dot);
    for (; decimals > digits.used; decimals--)
        aws_out_text(out, "0");
    aws_out_bytes(out, text + digits.used - decimals, decimals);
}

AWS_API void aws_json_put_number(aws_json_writer *w, const char *name, int64_t value,
                                 unsigned decimals)
{
    aws_i_json_name(w, name);
    aws_i_out_decimal(&w->out, value, decimals);
}

AWS_API void aws_json_put_quoted(aws_json_writer *w, const char *name, int64_t value,
                                 unsigned decimals)
{
    aws_i_json_name(w, name);
    aws_out_text(&w->out, "\"");
    aws_i_out_decimal(&w->out, value, decimals);
    aws_out_text(&w->out, "\"");
}

AWS_API void aws_json_put_bool(aws_json_writer *w, const char *name, int value)
{
    aws_json_put_raw(w, name, value ? aws_i_text_true : "false", value ? 4 : 5);
}

AWS_API void aws_json_put_null(aws_json_writer *w, const char *name)
{
    aws_json_put_raw(w, name, "null", 4);
}

AWS_API void aws_json_put_base64(aws_json_writer *w, const char *name, const void *data,
                                 size_t size)
{
    aws_i_json_name(w, name);
    aws_out_text(&w->out, "\"");
    aws_i_out_base64(&w->out, aws_i_bytes(data), size);
    aws_out_text(&w->out, "\"");
}

AWS_API int aws_json_end(aws_json_writer *w)
{
    size_t length = w->out.length;

    aws_out_bytes(&w->out, "", 1);
    w->out.length = length;
    if (w->depth || !w->begun)
        aws_i_json_fail(w, AWS_ERR_STATE);
    if (w->code)
        return w->code;
    return length >= w->out.room ? AWS_ERR_MEMORY : (int)aws_i_int_max(length);
}

/* ---- HTTP/1.1 answers ---- */

/* What a byte leads to: a state, which is where its rules begin below, or something to do. */
enum {
    AWS_I_H_HEAD = 0,                               /* "HTTP/" */
    AWS_I_H_STATUS = AWS_I_H_HEAD + 15,             /* the rest of the line */
    AWS_I_H_LINE = AWS_I_H_STATUS + 9,              /* a header or the empty line begins */
    AWS_I_H_NAME = AWS_I_H_LINE + 3,
    AWS_I_H_VALUE = AWS_I_H_NAME + 3,
    AWS_I_H_LF = AWS_I_H_VALUE + 9,
    AWS_I_H_BODY = AWS_I_H_LF + 3,                  /* of a length; behind it the head is there */
    AWS_I_H_DATA = AWS_I_H_BODY + 1,                /* of a chunk */
    AWS_I_H_DONE = AWS_I_H_DATA + 1,
    AWS_I_H_CHUNK = AWS_I_H_DONE + 1,               /* its size begins; from here on framing */
    AWS_I_H_SIZE = AWS_I_H_CHUNK + 5,
    AWS_I_H_EXTENSION = AWS_I_H_SIZE + 13,
    AWS_I_H_SIZE_LF = AWS_I_H_EXTENSION + 7,
    AWS_I_H_DATA_END = AWS_I_H_SIZE_LF + 3,         /* the empty line behind a chunk's data */
    AWS_I_H_DATA_LF = AWS_I_H_DATA_END + 3,
    AWS_I_H_TRAILER = AWS_I_H_DATA_LF + 3,          /* a trailer or the last empty line begins */
    AWS_I_H_TRAILER_LINE = AWS_I_H_TRAILER + 3,
    AWS_I_H_TRAILER_LF = AWS_I_H_TRAILER_LINE + 7,
    AWS_I_H_LAST_LF = AWS_I_H_TRAILER_LF + 3,
    AWS_I_H_END = AWS_I_H_LAST_LF + 3,
    AWS_I_H_FAIL = AWS_I_RULES_FAIL,
    AWS_I_H_SKIP,
    AWS_I_H_KEEP,
    AWS_I_H_BLANK,       /* kept if it is inside of a value */
    AWS_I_H_TOKEN,       /* of a name */
    AWS_I_H_COLON,
    AWS_I_H_CR,          /* of a line of the head */
    AWS_I_H_LINE_END,
    AWS_I_H_DIGIT,
    AWS_I_H_SIZE_END
};

static const unsigned char aws_i_http_rules[AWS_I_H_END] = {
    /* HEAD */
    'H', AWS_I_H_HEAD + 3, AWS_I_H_FAIL, 'T', AWS_I_H_HEAD + 6, AWS_I_H_FAIL,
    'T', AWS_I_H_HEAD + 9, AWS_I_H_FAIL, 'P', AWS_I_H_HEAD + 12, AWS_I_H_FAIL,
    '/', AWS_I_H_STATUS, AWS_I_H_FAIL,
    /* STATUS */
    '\r', AWS_I_H_CR, '\t', AWS_I_H_FAIL, '\n', AWS_I_H_FAIL, 0x7f, AWS_I_H_FAIL, AWS_I_H_KEEP,
    /* LINE */ '\r', AWS_I_H_CR, AWS_I_H_TOKEN,
    /* NAME */ ':', AWS_I_H_COLON, AWS_I_H_TOKEN,
    /* VALUE */
    '\r', AWS_I_H_CR, '\n', AWS_I_H_FAIL, 0x7f, AWS_I_H_FAIL, ' ', AWS_I_H_BLANK, AWS_I_H_KEEP,
    /* LF */ '\n', AWS_I_H_LINE_END, AWS_I_H_FAIL,
    /* BODY, DATA, DONE */ AWS_I_H_FAIL, AWS_I_H_FAIL, AWS_I_H_FAIL,
    /* CHUNK */ '0', AWS_I_H_DIGIT, 'a', AWS_I_H_DIGIT, AWS_I_H_FAIL,
    /* SIZE */
    '0', AWS_I_H_DIGIT, 'a', AWS_I_H_DIGIT, '\r', AWS_I_H_SIZE_LF, '\n', AWS_I_H_FAIL,
    ';', AWS_I_H_EXTENSION, ' ', AWS_I_H_EXTENSION, AWS_I_H_FAIL,
    /* EXTENSION */ '\r', AWS_I_H_SIZE_LF, '\n', AWS_I_H_FAIL, 0x7f, AWS_I_H_FAIL, AWS_I_H_SKIP,
    /* SIZE_LF */ '\n', AWS_I_H_SIZE_END, AWS_I_H_FAIL,
    /* DATA_END */ '\r', AWS_I_H_DATA_LF, AWS_I_H_FAIL,
    /* DATA_LF */ '\n', AWS_I_H_CHUNK, AWS_I_H_FAIL,
    /* TRAILER */ '\r', AWS_I_H_LAST_LF, AWS_I_H_TOKEN,
    /* TRAILER_LINE */
    '\r', AWS_I_H_TRAILER_LF, '\n', AWS_I_H_FAIL, 0x7f, AWS_I_H_FAIL, AWS_I_H_SKIP,
    /* TRAILER_LF */ '\n', AWS_I_H_TRAILER, AWS_I_H_FAIL,
    /* LAST_LF */ '\n', AWS_I_H_DONE, AWS_I_H_FAIL};

enum {
    AWS_I_HEAD_LIMIT = 32768,
    AWS_I_TRAILER_LIMIT = 4096, /* of a chunk's framing too */
    AWS_I_FRAMING = AWS_I_HEAD_LIMIT - AWS_I_TRAILER_LIMIT, /* where their count begins */
    AWS_I_INTERIM_LIMIT = 8
};

static void aws_i_http_init(aws_i_http *http)
{
    memset(http, 0, sizeof *http);
}

static int aws_i_token(int c)
{
    return aws_i_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* "HTTP/1.1 200" and perhaps a reason. */
static int aws_i_http_status_line(aws_i_http *http, const char *line)
{
    int32_t status = 0;

    if (!aws_i_scan(line, "HTTP/1.1 b", &status) || !aws_i_digit(line[11]) ||
        (line[12] && line[12] != ' '))
        return AWS_ERR_PROTOCOL;
    status = status * 10 + (line[11] - '0');
    http->status = (int)status;
    return status >= 100 && status < 600 ? 0 : AWS_ERR_PROTOCOL;
}

static int aws_i_blank(int c)
{
    return c == ' ' || c == '\t';
}

/* Whether a header's list has the word "close" in it, in any case. */
static int aws_i_says_close(const char *list)
{
    static const char word[] = "close";

    for (;;) {
        size_t size = strcspn(list, ", \t"), i;
        for (i = 0; word[i] && aws_i_lower((unsigned char)list[i]) == word[i]; i++)
            ;
        if (i == size && !word[i])
            return 1;
        list += size;
        if (!*list++)
            return 0;
    }
}

/* A complete header line: those that frame the body. */
static int aws_i_http_header(aws_i_http *http, const char *name, const char *value)
{
    static const char names[] = "content-length\0transfer-encoding\0connection\0";
    uint64_t length;

    switch (*name == 'c' || *name == 't' ? aws_i_list_find(names, name) : -1) {
    case 0:
        if (!aws_i_number(value, &length) || (http->has_length && length != http->length))
            return AWS_ERR_PROTOCOL;
        http->has_length = 1;
        http->length = length;
        break;
    case 1:
        if (!aws_i_equal_nocase(value, "chunked") || http->chunked)
            return AWS_ERR_PROTOCOL;
        http->chunked = 1;
        break;
    case 2:
        if (aws_i_says_close(value))
            http->close = 1;
        break;
    default:
        break;
    }
    return 0;
}

/* The empty line: 1 after a final answer; an interim one is forgotten. */
static int aws_i_http_head_end(aws_i_http *http)
{
    http->used = http->name;
    if (http->status >= 200) {
        http->state = AWS_I_H_DONE;
        return http->chunked && http->has_length ? AWS_ERR_PROTOCOL : 1;
    }
    if (http->status == 101 || ++http->interim > AWS_I_INTERIM_LIMIT)
        return http->status == 101 ? AWS_ERR_PROTOCOL : AWS_ERR_TOO_BIG;
    http->state = AWS_I_H_HEAD;
    http->status = 0;
    http->used = http->name = 0;
    http->has_length = http->chunked = http->close = 0;
    return 0;
}

/* A line has ended: 0, 1 if it ends the head of a final answer, or an error. */
static int aws_i_http_line(aws_i_http *http, char *head)
{
    size_t name = http->name, value = http->value;

#ifndef AWS_SMALL
    http->lengths |= (uint32_t)1 << ((value - name) & 31);
#endif
    http->state = AWS_I_H_LINE;
    http->value = 0;
    if (!http->status) {
        http->used = 0;
        return aws_i_http_status_line(http, head);
    }
    if (!value)
        return aws_i_http_head_end(http);
    http->name = http->used;
    return aws_i_http_header(http, head + name, head + value);
}

/* A byte of the head or of a chunked body's framing: 0, 1 if it ends the head of a final answer,
 * or an error. */
static AWS_I_APART int aws_i_http_byte(aws_i_http *http, char *head, size_t room, unsigned c)
{
    unsigned to = aws_i_rule(aws_i_http_rules + http->state, c), digit;

    if (++http->total > AWS_I_HEAD_LIMIT)
        return AWS_ERR_TOO_BIG;
    switch (to) {
    case AWS_I_H_FAIL:
        return AWS_ERR_PROTOCOL;
    case AWS_I_H_SKIP:
        return 0;
    case AWS_I_H_LINE_END:
        return aws_i_http_line(http, head);
    case AWS_I_H_DIGIT:
        digit = aws_i_digit_value((int)c);
        http->length = http->length << 4 | digit;
        http->state = AWS_I_H_SIZE;
        /* 15 do for any size below 2^60 */
        return digit < 16 && ++http->digits <= 15 ? 0 : AWS_ERR_PROTOCOL;
    case AWS_I_H_SIZE_END:
        to = AWS_I_H_TRAILER;
        if (http->length) {
            to = AWS_I_H_DATA;
            http->total = AWS_I_FRAMING;
        }
        http->digits = 0;
        break;
    case AWS_I_H_TOKEN:
        if (!aws_i_token((int)c))
            return AWS_ERR_PROTOCOL;
        c = (unsigned)aws_i_lower((int)c);
        to = http->state > AWS_I_H_DONE ? AWS_I_H_TRAILER_LINE : AWS_I_H_NAME;
        break;
    case AWS_I_H_BLANK:
        if (http->used == http->value)
            return 0; /* white space at its ends is dropped */
        /* fall through */
    case AWS_I_H_KEEP:
        to = http->state;
        break;
    case AWS_I_H_COLON:
        http->value = http->used + 1;
        to = AWS_I_H_VALUE;
        c = 0;
        break;
    case AWS_I_H_CR:
        while (http->used > http->value && aws_i_blank(head[http->used - 1]))
            http->used--;
        to = AWS_I_H_LF;
        c = 0;
        break;
    default:
        break;
    }
    http->state = (unsigned char)to;
    if (to < AWS_I_H_BODY) {
        if (http->used == room)
            return AWS_ERR_TOO_BIG;
        head[http->used++] = (char)c;
    }
    return 0;
}

#ifndef AWS_SMALL /* what heads have most, faster */

/* Copy a word: whether its bytes are all from ' ' to '~'. */
static int aws_i_http_word(const unsigned char *from, char *to)
{
    const size_t ones = (size_t)-1 / 255;
    size_t word;

    memcpy(&word, from, sizeof word);
    memcpy(to, &word, sizeof word);
    return !(((word - ones * 0x20) | (word + ones)) & ones * 0x80);
}

/* Plain bytes of a name, the colon behind it, and plain bytes of a value are taken at once: how
 * many. A byte that isn't kept leaves room that isn't needed. */
static AWS_I_APART size_t aws_i_http_run(aws_i_http *http, char *head, size_t room,
                                         const unsigned char *data, size_t size)
{
    const unsigned char *from = data;
    char *to = head + http->used, *end = to + aws_i_min(room - http->used, size);

    if (http->state == AWS_I_H_LINE || http->state == AWS_I_H_NAME) {
        for (; to < end && ((*data | 32u) - 'a' < 26 || *data == '-'); to++)
            *to = (char)(*data++ | 32); /* in lower case; '-' stays */
        if (to > head + http->name)
            http->state = AWS_I_H_NAME;
        if (to < end && *data == ':' && http->state == AWS_I_H_NAME) {
            data++;
            *to++ = 0;
            http->state = AWS_I_H_VALUE;
            http->value = (size_t)(to - head);
        }
    }
    if (http->state == AWS_I_H_VALUE || http->state == AWS_I_H_STATUS) {
        for (; to < end && *data == ' ' && to == head + http->value; end--)
            data++;
        if (sizeof(size_t) > 4) /* as in XML's texts */
            for (; (size_t)(end - to) >= sizeof(size_t) && aws_i_http_word(data, to);
                 data += sizeof(size_t))
                to += sizeof(size_t);
        for (; to < end && *data - 0x20u < 0x7f - 0x20; to++)
            *to = (char)*data++;
    }
    http->used = (size_t)(to - head);
    return (size_t)(data - from);
}

#endif

/* Take bytes of the head, to its end at most, or to an interim one's: how many in *size. The lines
 * are kept in head[room] as name NUL value NUL. Result as above. */
static int aws_i_http_head(aws_i_http *http, char *head, size_t room, const unsigned char *data,
                           size_t *size)
{
    size_t i = 0;
    int r = 0;

    while (i < *size && !r) {
#ifndef AWS_SMALL
        size_t run = aws_i_http_run(http, head, room, data + i,
                                    aws_i_min(*size - i, AWS_I_HEAD_LIMIT - http->total));
        http->total += (uint32_t)run;
        if ((i += run) == *size)
            break;
#endif
        r = aws_i_http_byte(http, head, room, data[i++]);
        if (http->state == AWS_I_H_HEAD)
            break;
    }
    *size = i;
    return r;
}

/* After the head: how the body is framed. */
static AWS_I_APART int aws_i_http_begin_body(aws_i_http *http, int head_request)
{
    http->total = AWS_I_FRAMING;
    http->state = AWS_I_H_DONE;
    if (head_request || http->status == 204 || http->status == 304)
        return 0;
    if (http->chunked) {
        http->state = AWS_I_H_CHUNK;
        http->length = 0;
    } else if (!http->has_length) {
        http->close = 1;
        return http->status < 300 ? AWS_ERR_PROTOCOL : 0;
    } else if (http->length) {
        http->state = AWS_I_H_BODY;
    }
    return 0;
}

/* Bytes of the body have come: how many of them are data, 0: the first is one of its framing, or an
 * error. */
static int aws_i_http_slice(aws_i_http *http, const unsigned char *bytes, int size)
{
    if (http->state > AWS_I_H_DONE)
        return aws_i_http_byte(http, NULL, 0, *bytes);
    return http->length < (unsigned)size ? (int)http->length : size;
}

static void aws_i_http_take(aws_i_http *http, size_t size)
{
    http->length -= size;
    if (!http->length)
        http->state = http->state == AWS_I_H_DATA ? AWS_I_H_DATA_END : AWS_I_H_DONE;
}

/* The index-th header of the arena's first bytes. */
static int aws_i_http_at(const char *head, size_t size, unsigned index, aws_pair *pair)
{
    size_t at = 0;

    while (at < size) {
        pair->name = head + at;
        pair->value = pair->name + strlen(pair->name) + 1;
        if (!index--)
            return 1;
        at = (size_t)(pair->value - head) + strlen(pair->value) + 1;
    }
    return 0;
}

/* ---- Failures, log ---- */

static const aws_config *aws_i_config(const aws_client *client)
{
    return &client->session->config;
}

static uint32_t aws_i_ticks(const aws_client *client)
{
    return client->port->ticks(client->port);
}

static void aws_i_lock(const aws_client *client)
{
    if (client->port->lock)
        client->port->lock(client->port);
}

static void aws_i_unlock(const aws_client *client)
{
    if (client->port->unlock)
        client->port->unlock(client->port);
}

/* Keep the failure; the first one of an attempt counts. reason: AWS_REASON_*, or -code if there
 * is nothing to add. Returns the code. */
static int aws_i_fail(aws_client *client, int reason, const char *value)
{
    aws_failure *f = &client->failure;
    int code = -(int)((unsigned)reason % 32);

    if (!f->code) {
        f->code = code;
        f->reason = reason;
        aws_i_set(f->value, sizeof f->value, value);
    }
    return code;
}

/* The connection is of no use any more, not even for a good-bye. */
static void aws_i_lost(aws_i_connection *n)
{
#ifndef AWS_NO_TLS
    n->ended = 1;
#endif
    n->doomed = 1;
}

/* A failure of a port's function on the connection, with the port's number. */
static int aws_i_port_failed(aws_client *client, int code)
{
    aws_failure *f = &client->failure;

    if (!f->code) {
        aws_out out;
        aws_i_fail(client, -code, NULL);
        aws_i_out(&out, f->value, sizeof f->value - 1);
        aws_i_out_host(&out, client);
        f->value[out.used] = 0;
        if (client->port->error)
            f->detail = client->port->error(client->port, client->connection.area);
    }
    aws_i_lost(&client->connection);
    return code;
}

static const aws_features *aws_i_features(const aws_client *client)
{
    return aws_i_config(client)->features;
}

static void aws_i_log_text(aws_client *client, const char *what, const char *detail, int64_t number)
{
    char line[96];
    aws_out out;

    aws_i_out(&out, line, sizeof line - 1);
    if (!aws_i_config(client)->log)
        return;
    aws_out_text(&out, client->call.operation ? client->call.operation : "client");
    aws_out_text(&out, ": ");
    aws_out_text(&out, what);
    aws_out_text(&out, detail);
    if (number)
        aws_i_out_count(&out, number < 0 ? " -" : " ", (uint64_t)(number < 0 ? -number : number),
                        "");
    line[out.used] = 0;
    aws_i_config(client)->log(aws_i_config(client)->log_context, line);
}

enum { AWS_I_L_CONNECT, AWS_I_L_ANSWER, AWS_I_L_RETRY, AWS_I_L_CLOCK };

AWS_API int aws_feature_log(aws_client *client, int step)
{
    if (step == AWS_I_L_CONNECT)
        aws_i_log_text(client, "connect ", client->host, client->port_number);
    else if (step == AWS_I_L_ANSWER)
        aws_i_log_text(client, "answer", "", client->http.status);
    else if (step == AWS_I_L_RETRY)
        aws_i_log_text(client, "retry after error ", "", client->failure.code);
    else
        aws_i_log_text(client, "clock set by the server", "", client->session->clock_base);
    return 0;
}

static void aws_i_log(aws_client *client, int event)
{
    if (aws_i_features(client)->log)
        aws_i_features(client)->log(client, event);
}

static void aws_i_hook(aws_client *client, int when)
{
    const aws_config *config = aws_i_config(client);

    if (config->hook)
        config->hook(config->hook_context, client, when);
}

/* ---- Bounded answers: what the rest knows of them ---- */

/* aws_client.ranging: how the answer of the call is asked for. */
enum {
    AWS_I_R_WHOLE,
    AWS_I_R_LOOK,  /* by HEAD: what is there? */
    AWS_I_R_FIRST, /* the first range */
    AWS_I_R_MORE,  /* its head has come, or that of a later one */
    AWS_I_R_PLAIN, /* at once, though it may not fit */
    AWS_I_R_PAGE   /* a page of a listing, as short as need be */
};

/* What aws_config.bounded is called for. */
enum {
    AWS_I_B_START,    /* a handshake begins */
    AWS_I_B_HELLO,    /* so many of its bytes have come */
    AWS_I_B_PLAN,     /* before the request is signed */
    AWS_I_B_ANSWERED, /* the head has come, of so many bytes: 0, AWS_I_GO or an error */
    AWS_I_B_NEXT,     /* the body has come to its end: 0, AWS_I_GO or an error */
    AWS_I_B_FAILED,   /* 1: try it at once, in another way */
    AWS_I_B_STREAM    /* the caller reads, and the next range is due, or a failure to be retried */
};

enum { AWS_I_B_RANGE = 1, AWS_I_B_SUFFIX = 2 };

static int aws_i_bounded(aws_client *client, int what, int number)
{
#ifndef AWS_NO_TLS
    if (client->bounded)
        return client->bounded(client, what, number);
#endif
    (void)client, (void)what, (void)number;
    return 0;
}

/* Whether the answer comes in ranges: then a cut costs nothing of what has come. */
static int aws_i_in_ranges(const aws_client *client)
{
#ifndef AWS_NO_TLS
    return client->ranging == AWS_I_R_MORE;
#else
    (void)client;
    return 0;
#endif
}

/* ---- Time ---- */

enum {
    AWS_I_CLOCK_FAR,   /* from a refusal, if it is far from the time that the request took */
    AWS_I_CLOCK_RUN,   /* bring clock_base up to now */
    AWS_I_CLOCK_ASK,   /* by a request of its own: 1 if that may be made */
    AWS_I_CLOCK_CERTIFICATE /* by a certificate that isn't valid yet */
};

static int aws_i_clock(aws_client *client, int step)
{
    return aws_i_features(client)->clock ? aws_i_features(client)->clock(client, step) : 0;
}

/* Unix time, 0 if it isn't known. */
static int64_t aws_i_now(aws_client *client)
{
    int64_t now;

    if (client->session->clock_base && aws_i_features(client)->clock(client, AWS_I_CLOCK_RUN))
        return client->session->clock_base;
    now = client->port->now(client->port);
    return now > 0 ? now : 0;
}

/* A server's Date goes on by the ticks, as long as the port's clock goes on likewise: once somebody
 * sets it, it is right again. */
static int aws_i_run_clock(aws_client *client)
{
    const uint32_t step = 120;
    aws_session *session = client->session;
    int64_t now = client->port->now(client->port);
    uint32_t seconds;

    aws_i_lock(client);
    seconds = (aws_i_ticks(client) - session->clock_ticks) / 1000;
    session->clock_base += seconds;
    session->clock_port += seconds;
    session->clock_ticks += seconds * 1000;
    if (now > 0 && (uint32_t)now - session->clock_port + step > 2 * step)
        session->clock_base = 0;
    aws_i_unlock(client);
    return session->clock_base > 0;
}

/* Take the time from an answer over verified TLS or plain http, if it can be true: 1 if so. limit:
 * and only if it is so many seconds outside of the time that the request took. */
static int aws_i_learn_time(aws_client *client, uint32_t limit)
{
    aws_session *session = client->session;
    const char *date = aws_client_header(client, "date");
    int64_t now = date ? aws_date_parse(date) : -1;
    uint32_t ticks = aws_i_ticks(client);
    uint32_t after = (uint32_t)(now - client->time), took = (ticks - client->signed_at) / 1000;

    if (now < session->floor || (limit && after + limit < took + 2 * limit))
        return 0;
    aws_i_lock(client);
    session->clock_base = now;
    session->clock_port = (uint32_t)client->port->now(client->port);
    session->clock_ticks = ticks;
    aws_i_unlock(client);
    aws_i_log(client, AWS_I_L_CLOCK);
    return 1;
}

/* ---- TLS ---- */

enum {
    AWS_I_C_CLOSED,
    AWS_I_C_OPENING,
    AWS_I_C_HANDSHAKE,
    AWS_I_C_OPEN,
    AWS_I_C_NOTIFY, /* close_notify is on its way */
    AWS_I_C_CLOSING,
    AWS_I_C_LENT /* the memory is in use by a credential source; to be closed like CLOSING */
};

enum { AWS_I_NOTIFY_MS = 1000 }; /* to bring a close_notify on its way, at most */

static int aws_i_want(aws_client *client, unsigned what)
{
    client->waits = what;
    return AWS_AGAIN;
}

static int aws_i_deadline_passed(const aws_client *client)
{
    return client->timeout && aws_i_ticks(client) - client->started >= client->timeout;
}

/* Something moved: the silence ends. */
static AWS_I_APART void aws_i_moved(aws_client *client)
{
    client->progressed = aws_i_ticks(client);
}

/* What the port's send or receive has said: the count, 0 at the end, AWS_AGAIN (`what` is awaited)
 * or an error. A call's time may be over though bytes move: a port that blocks never says
 * AWS_AGAIN. */
static int aws_i_ported(aws_client *client, int r, unsigned what)
{
    if (r == AWS_AGAIN)
        return aws_i_want(client, what);
    if (r < 0)
        return aws_i_port_failed(client, r);
    aws_i_moved(client);
    if (r && !aws_i_deadline_passed(client))
        return r;
    aws_i_lost(&client->connection);
    return r ? aws_i_fail(client, AWS_REASON_CALL_TIME, client->host) : r;
}

/* Send through the port: the count, AWS_AGAIN or an error. */
static int aws_i_send(aws_client *client, const unsigned char *data, size_t size)
{
    int r = client->port->send(client->port, client->connection.area, data, aws_i_int_max(size));

    return aws_i_ported(client, r ? r : AWS_AGAIN, AWS_WAIT_WRITE);
}

/* Receive through the port: the count, 0 at the end, AWS_AGAIN or an error. */
static int aws_i_recv(aws_client *client, unsigned char *data, size_t size)
{
    int r = client->port->recv(client->port, client->connection.area, data, size);

    return aws_i_ported(client, r, AWS_WAIT_READ);
}

/* Members of a request with little memory; twice as many from 24 KB on, with TLS once its records
 * have all the room they can use. */
enum { AWS_I_ITEMS = 32, AWS_I_MANY = 24576 };

#ifndef AWS_NO_TLS

/* Finds a certificate's notBefore while it streams by, for a device without a clock: a walk over
 * Certificate { tbsCertificate { [version] serial algorithm issuer validity { notBefore */
typedef struct aws_i_der {
    uint32_t      skip;   /* bytes of an element to pass over */
    uint32_t      length; /* of the header being read */
    unsigned char tag, have, more, step, size;
    char          time[16];
} aws_i_der;

enum { AWS_I_D_CERT, AWS_I_D_TBS, AWS_I_D_VERSION, AWS_I_D_SERIAL, AWS_I_D_ALGORITHM,
       AWS_I_D_ISSUER, AWS_I_D_VALIDITY, AWS_I_D_TIME, AWS_I_D_DONE };

/* An element's header is complete: enter it, pass over it or read it. */
static void aws_i_der_element(aws_i_der *der)
{
    int entered = der->step == AWS_I_D_CERT || der->step == AWS_I_D_TBS ||
                  der->step == AWS_I_D_VALIDITY;

    if (der->step == AWS_I_D_VERSION && der->tag != 0xa0)
        der->step++; /* a version 1 certificate: this is the serial number */
    if (der->step == AWS_I_D_TIME) {
        der->size = (unsigned char)(der->length < sizeof der->time ? der->length : 0);
        der->more = 1;
        der->have = 0;
        if (!der->size)
            der->step = AWS_I_D_DONE;
        return;
    }
    if (!entered)
        der->skip = der->length;
    der->step++;
    der->have = 0;
}

static void aws_i_der_byte(aws_i_der *der, unsigned char c)
{
    if (der->step == AWS_I_D_DONE)
        return;
    if (der->skip) {
        der->skip--;
    } else if (der->step == AWS_I_D_TIME && der->more) {
        der->time[der->have++] = (char)c;
        if (der->have == der->size) {
            der->time[der->have] = 0;
            der->step = AWS_I_D_DONE;
        }
    } else if (der->have == 0) {
        der->tag = c;
        der->length = 0;
        der->have = 1;
    } else if (der->have == 1) {
        if (c & 0x80) {
            der->have = (unsigned char)(2 + (c & 3)); /* certificates are below 16 MB */
        } else {
            der->length = c;
            aws_i_der_element(der);
        }
    } else {
        der->length = der->length << 8 | c;
        if (--der->have == 2)
            aws_i_der_element(der);
    }
}

static int aws_i_all_digits(const char *text, size_t size)
{
    while (size && aws_i_digit((unsigned char)*text)) {
        text++;
        size--;
    }
    return !size;
}

/* Unix time of the notBefore found, 0 none: "YYMMDDhhmmssZ" or "YYYYMMDDhhmmssZ". */
static int64_t aws_i_der_time(const aws_i_der *der)
{
    int32_t n[7];
    const char *t = der->time;
    size_t i;
    int64_t time;

    if (der->step != AWS_I_D_DONE || (der->size != 13 && der->size != 15) ||
        !aws_i_all_digits(t, der->size - 1u))
        return 0;
    n[0] = t[0] < '5' ? 20 : 19; /* of two digits */
    for (i = der->size == 13; i < 7; i++, t += 2)
        n[i] = (t[0] - '0') * 10 + (t[1] - '0');
    time = aws_i_time_of(n);
    return time > 0 ? time : 0;
}

/* X.509 validation by BearSSL, with an eye on the leaf's notBefore. In the client's scratch. */
typedef struct aws_i_x509 {
    const br_x509_class    *vtable;
    br_x509_minimal_context minimal;
    aws_client             *client;
    int64_t                 floor; /* taken for the time; INT64_MAX: there is a clock */
    aws_i_der               der;
    int                     leaf;
} aws_i_x509;

/* What outlives a handshake. */
typedef struct aws_i_tls {
    br_ssl_client_context     context;
    br_ssl_session_parameters session;
    unsigned char             seed[32]; /* of the next handshake */
} aws_i_tls;

/* BearSSL hands out a pointer to the vtable member, which is the first. */
static aws_i_x509 *aws_i_x509_of(const br_x509_class **context)
{
    return (aws_i_x509 *)(void *)context;
}

static void aws_i_x509_start_chain(const br_x509_class **context, const char *name)
{
    aws_i_x509 *x = aws_i_x509_of(context);

    x->leaf = 1;
    memset(&x->der, 0, sizeof x->der);
    x->minimal.vtable->start_chain(&x->minimal.vtable, name);
}

static void aws_i_x509_start_cert(const br_x509_class **context, uint32_t length)
{
    aws_i_x509 *x = aws_i_x509_of(context);

    x->minimal.vtable->start_cert(&x->minimal.vtable, length);
}

static void aws_i_x509_append(const br_x509_class **context, const unsigned char *data, size_t size)
{
    aws_i_x509 *x = aws_i_x509_of(context);
    size_t i;

    for (i = 0; x->leaf && i < size; i++)
        aws_i_der_byte(&x->der, data[i]);
    x->minimal.vtable->append(&x->minimal.vtable, data, size);
}

static void aws_i_x509_end_cert(const br_x509_class **context)
{
    aws_i_x509 *x = aws_i_x509_of(context);
    int64_t not_before = aws_i_der_time(&x->der);

    if (x->leaf && not_before > x->floor)
        x->client->not_before = not_before;
    x->leaf = 0;
    x->minimal.vtable->end_cert(&x->minimal.vtable);
}

static unsigned aws_i_x509_end_chain(const br_x509_class **context)
{
    aws_i_x509 *x = aws_i_x509_of(context);

    return x->minimal.vtable->end_chain(&x->minimal.vtable);
}

static const br_x509_pkey *aws_i_x509_get_pkey(const br_x509_class *const *context,
                                               unsigned *usages)
{
    /* the engine reads the key only: the cast drops a const of the pointer, not of the object */
    const aws_i_x509 *x = (const aws_i_x509 *)(const void *)context;

    return x->minimal.vtable->get_pkey((const br_x509_class *const *)&x->minimal.vtable, usages);
}

static const br_x509_class aws_i_x509_class = {
    sizeof(aws_i_x509), aws_i_x509_start_chain, aws_i_x509_start_cert, aws_i_x509_append,
    aws_i_x509_end_cert, aws_i_x509_end_chain, aws_i_x509_get_pkey};

/* Cipher suites, curves and hashes. The small profile fits 64 KB of flash; the other one also
 * takes AES-256, ChaCha20, P-384 and SHA-384 and uses the CPU's AES. */
#if !defined(AWS_TLS_SMALL) && defined(__arm__) && !defined(__linux__)
#define AWS_TLS_SMALL
#endif

static void aws_i_tls_profile(br_ssl_client_context *context, br_x509_minimal_context *x509)
{
    br_ssl_engine_context *engine = &context->eng;
#ifdef AWS_TLS_SMALL
    static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                      BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256};
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_7M__)
    /* no constant-time 32x32->64 multiplication there: BearSSL's 15-bit code */
    br_ssl_engine_set_ec(engine, &br_ec_p256_m15);
    br_ssl_engine_set_rsavrfy(engine, &br_rsa_i15_pkcs1_vrfy);
    br_ssl_engine_set_ecdsa(engine, &br_ecdsa_i15_vrfy_asn1);
#else
    /* with 64 bits the code for all curves is smaller than for P-256 alone, and SHA-384 fits */
#if UINTPTR_MAX > 0xffffffff
    br_ssl_engine_set_ec(engine, &br_ec_prime_i31);
    br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(x509, br_sha384_ID, &br_sha384_vtable);
#else
    br_ssl_engine_set_ec(engine, &br_ec_p256_m31);
#endif
    br_ssl_engine_set_rsavrfy(engine, &br_rsa_i31_pkcs1_vrfy);
    br_ssl_engine_set_ecdsa(engine, &br_ecdsa_i31_vrfy_asn1);
#endif
    br_ssl_engine_set_gcm(engine, &br_sslrec_in_gcm_vtable, &br_sslrec_out_gcm_vtable);
    br_ssl_engine_set_aes_ctr(engine, &br_aes_ct_ctr_vtable);
#if UINTPTR_MAX > 0xffffffff
    br_ssl_engine_set_ghash(engine, &br_ghash_ctmul64);
#else
    br_ssl_engine_set_ghash(engine, &br_ghash_ctmul32);
#endif
#else
    static const uint16_t suites[] = {
        BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384};
    br_ssl_engine_set_default_ec(engine);
    br_ssl_engine_set_default_rsavrfy(engine);
    br_ssl_engine_set_default_ecdsa(engine);
    br_ssl_engine_set_default_aes_gcm(engine);
    br_ssl_engine_set_default_chapol(engine);
    br_ssl_engine_set_hash(engine, br_sha384_ID, &br_sha384_vtable);
    br_ssl_engine_set_hash(engine, br_sha512_ID, &br_sha512_vtable);
    br_ssl_engine_set_prf_sha384(engine, &br_tls12_sha384_prf);
    br_x509_minimal_set_hash(x509, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(x509, br_sha512_ID, &br_sha512_vtable);
#endif
    br_ssl_engine_set_suites(engine, suites, sizeof suites / sizeof *suites);
    br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(engine, &br_tls12_sha256_prf);
    br_x509_minimal_set_hash(x509, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_rsa(x509, br_ssl_engine_get_rsavrfy(engine));
    br_x509_minimal_set_ecdsa(x509, br_ssl_engine_get_ec(engine), br_ssl_engine_get_ecdsa(engine));
}

static aws_i_tls *aws_i_tls_of(const aws_client *client)
{
    return (aws_i_tls *)client->connection.tls;
}

static br_ssl_engine_context *aws_i_engine(const aws_client *client)
{
    return &aws_i_tls_of(client)->context.eng;
}

/* The name that the certificate must have. */
static const char *aws_i_tls_name(const aws_client *client)
{
    return aws_i_config(client)->tls_name ? aws_i_config(client)->tls_name : client->host;
}

/* What the record that the engine refused needs, with its head of 5 bytes. */
static size_t aws_i_tls_record(const aws_client *client)
{
    const unsigned char *record = client->connection.record;

    return 5 + ((size_t)record[3] << 8 | record[4]);
}

/* Room that is added to a client's block makes the record buffer larger by as much. */
static int aws_i_tls_too_large(aws_client *client)
{
    if (!client->failure.code) {
        aws_i_fail(client, AWS_REASON_RECORD, NULL);
        client->failure.needed =
            client->memory_size + aws_i_tls_record(client) - client->connection.record_size;
    }
    return AWS_ERR_MEMORY;
}

/* The engine's error, or a failed step's, as ours. */
static int aws_i_tls_failed(aws_client *client)
{
    int error = br_ssl_engine_last_error(aws_i_engine(client));
    int code = error >= BR_ERR_X509_OK && error < 256 ? AWS_ERR_CERTIFICATE : AWS_ERR_TLS;

    client->connection.doomed = 1;
    if (error == BR_ERR_TOO_LARGE)
        return aws_i_tls_too_large(client);
    if ((error != BR_ERR_IO && error != BR_ERR_OK) || client->connection.state == AWS_I_C_HANDSHAKE)
        client->connection.resumed = 0; /* a session that failed; a mere cut leaves it good */
    if (error == BR_ERR_IO || error == BR_ERR_OK)
        return aws_i_fail(client, AWS_REASON_NO_CLOSE_NOTIFY, client->host);
    if (!client->failure.code) {
        aws_i_fail(client, -code, aws_i_tls_name(client));
        client->failure.detail = error;
    }
    return code;
}

static int aws_i_tls_buffers(aws_client *client)
{
    aws_i_connection *n = &client->connection;
    br_ssl_engine_context *engine = aws_i_engine(client);
    unsigned log = 14;

    br_ssl_engine_set_buffers_bidi(engine, n->record, n->record_size, n->out, n->out_size);
    /* BearSSL offers max_fragment_length by the smaller buffer; only incoming records matter. */
    while (log > 9 && n->record_size < ((size_t)1 << log) + 325)
        log--;
    engine->log_max_frag_len = (uint8_t)(log == 13 ? 12 : log);
    aws_i_bounded(client, AWS_I_B_START, 0);
    return br_ssl_engine_last_error(engine) ? aws_i_tls_failed(client) : 0;
}

/* Before anything is sent: random bytes for the handshake, and a CA to trust. */
static int aws_i_tls_ready(aws_client *client)
{
    const aws_trust *trust = aws_i_config(client)->trust;
    aws_i_tls *tls = aws_i_tls_of(client);

#ifdef AWS_NO_ROOTS
    if (!trust)
        return aws_i_fail(client, AWS_REASON_NO_CA, NULL);
#endif
    if (trust && !trust->count)
        return aws_i_fail(client, AWS_REASON_EMPTY_TRUST, NULL);
    if (client->port->entropy(client->port, tls->seed, sizeof tls->seed) < 0)
        return aws_i_fail(client, -AWS_ERR_ENTROPY, NULL);
    return 0;
}

/* Ready the contexts for a handshake: the X.509 part lies in the scratch. */
static int aws_i_tls_start(aws_client *client)
{
    aws_i_tls *tls = aws_i_tls_of(client);
    aws_i_x509 *x = (aws_i_x509 *)(void *)client->scratch;
    const aws_trust *trust = aws_i_config(client)->trust;
    const br_x509_trust_anchor *anchors =
        trust ? (const br_x509_trust_anchor *)trust->anchors : NULL;
    size_t count = trust ? trust->count : 0;
    int64_t now = aws_i_now(client);

#ifndef AWS_NO_ROOTS
    if (!trust) {
        anchors = aws_i_amazon_roots;
        count = sizeof aws_i_amazon_roots / sizeof *aws_i_amazon_roots;
    }
#endif
    memset(x, 0, sizeof *x);
    x->floor = now ? INT64_MAX : client->session->floor;
    if (!now)
        now = x->floor;
    br_ssl_client_zero(&tls->context);
    br_ssl_engine_set_versions(&tls->context.eng, BR_TLS12, BR_TLS12);
    br_x509_minimal_init(&x->minimal, &br_sha256_vtable, anchors, count);
    aws_i_tls_profile(&tls->context, &x->minimal);
    if (aws_i_config(client)->identity)
        aws_i_config(client)->identity->present(aws_i_config(client)->identity, &tls->context);
    br_x509_minimal_set_time(&x->minimal, (uint32_t)now / 86400 + 719528, (uint32_t)now % 86400);
    x->vtable = &aws_i_x509_class;
    x->client = client;
    br_ssl_engine_set_x509(&tls->context.eng, &x->vtable);
    br_ssl_engine_add_flags(&tls->context.eng, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_inject_entropy(&tls->context.eng, tls->seed, sizeof tls->seed);
    aws_i_wipe(tls->seed, sizeof tls->seed);
    if (aws_i_tls_buffers(client) < 0)
        return AWS_ERR_TLS;
    if (client->connection.resumed)
        br_ssl_engine_set_session_parameters(&tls->context.eng, &tls->session);
    if (!br_ssl_client_reset(&tls->context, aws_i_tls_name(client), client->connection.resumed))
        return aws_i_tls_failed(client);
    client->not_before = 0;
    return 0;
}

static void aws_i_tls_received(aws_client *client, size_t size)
{
    if (client->connection.state == AWS_I_C_HANDSHAKE)
        aws_i_bounded(client, AWS_I_B_HELLO, (int)size);
    br_ssl_engine_recvrec_ack(aws_i_engine(client), size);
}

/* Give received bytes to the engine: small pieces through the read-ahead, large ones directly. */
static int aws_i_tls_fill(aws_client *client)
{
    aws_i_connection *n = &client->connection;
    br_ssl_engine_context *engine = aws_i_engine(client);
    size_t room, size;
    unsigned char *to = br_ssl_engine_recvrec_buf(engine, &room);
    int r;

    if (n->start == n->end) {
        int direct = room >= n->ahead_size;
        r = aws_i_recv(client, direct ? to : n->ahead, direct ? room : n->ahead_size);
        if (r == 0)
            return aws_i_tls_failed(client);
        if (r < 0)
            return r;
        if (direct) {
            aws_i_tls_received(client, (size_t)r);
            return 0;
        }
        n->start = 0;
        n->end = (size_t)r;
    }
    size = aws_i_min(room, n->end - n->start);
    memcpy(to, n->ahead + n->start, size);
    n->start += size;
    aws_i_tls_received(client, size);
    return 0;
}

/* Move records until one of `want` holds: 1, 0 after the peer's close_notify, AWS_AGAIN or an
 * error. want 0: until all records are sent. */
static int aws_i_tls_pump(aws_client *client, unsigned want)
{
    br_ssl_engine_context *engine = aws_i_engine(client);

    for (;;) {
        unsigned state = br_ssl_engine_current_state(engine);
        unsigned blocked = 0;
        int r;

        if (state & BR_SSL_CLOSED) {
            client->connection.doomed = 1;
            if (br_ssl_engine_last_error(engine) != BR_ERR_OK)
                return aws_i_tls_failed(client);
            return 0;
        }
        if (state & BR_SSL_SENDREC) {
            size_t size;
            unsigned char *from = br_ssl_engine_sendrec_buf(engine, &size);
            r = aws_i_send(client, from, size);
            if (r > 0) {
                br_ssl_engine_sendrec_ack(engine, (size_t)r);
                continue;
            }
            if (r != AWS_AGAIN)
                return r;
            blocked = AWS_WAIT_WRITE;
        }
        if (want ? state & want : !blocked)
            return 1;
        if (!want || !(state & BR_SSL_RECVREC))
            return aws_i_want(client, blocked);
        r = aws_i_tls_fill(client);
        if (r == AWS_AGAIN)
            return aws_i_want(client, AWS_WAIT_READ | blocked);
        if (r < 0)
            return r;
    }
}

static int aws_i_tls_handshake(aws_client *client)
{
    int r = aws_i_tls_pump(client, BR_SSL_SENDAPP);

    if (r == 0)
        return aws_i_tls_failed(client);
    if (r > 0) {
        aws_i_tls *tls = aws_i_tls_of(client);
        br_ssl_engine_get_session_parameters(&tls->context.eng, &tls->session);
        client->connection.resumed = 1;
    }
    return r;
}

#endif /* AWS_NO_TLS */

/* ---- Connection: bytes in and out, with or without TLS ---- */

/* Whether TLS on it is ours, not the port's. */
static int aws_i_is_secure(const aws_i_connection *n)
{
#ifndef AWS_NO_TLS
    return n->secure;
#else
    (void)n;
    return 0;
#endif
}

/* What has come: its size, with *data, 0 at the end, AWS_AGAIN or an error. */
static int aws_i_peek(aws_client *client, const unsigned char **data)
{
    aws_i_connection *n = &client->connection;
    int r;

#ifndef AWS_NO_TLS
    if (n->secure) {
        size_t size;
        if ((r = aws_i_tls_pump(client, BR_SSL_RECVAPP)) <= 0)
            return r;
        *data = br_ssl_engine_recvapp_buf(aws_i_engine(client), &size);
        return (int)size; /* of a record, at most */
    }
#endif
    if (n->start == n->end) {
        if ((r = aws_i_recv(client, n->ahead, n->ahead_size)) <= 0)
            return r;
        n->start = 0;
        n->end = (size_t)r;
    }
    *data = n->ahead + n->start;
    return (int)(n->end - n->start);
}

static void aws_i_consume(aws_client *client, size_t size)
{
    aws_i_connection *n = &client->connection;

#ifndef AWS_NO_TLS
    if (n->secure) {
        br_ssl_engine_recvapp_ack(aws_i_engine(client), size);
        return;
    }
#endif
    n->start += size;
}

/* Whether bytes of the peer are waiting in our buffers. */
static int aws_i_leftover(const aws_client *client)
{
#ifndef AWS_NO_TLS
    if (client->connection.secure &&
        br_ssl_engine_current_state(aws_i_engine(client)) & BR_SSL_RECVAPP)
        return 1;
#endif
    return client->connection.start != client->connection.end;
}

/* Bring everything on its way: 1, AWS_AGAIN or an error. */
static int aws_i_flush(aws_client *client)
{
    aws_i_connection *n = &client->connection;

#ifndef AWS_NO_TLS
    if (n->secure) {
        int r;
        br_ssl_engine_flush(aws_i_engine(client), 0);
        r = aws_i_tls_pump(client, 0);
        return r ? r : aws_i_tls_failed(client);
    }
#endif
    while (n->sent < n->filled) {
        int r = aws_i_send(client, n->out + n->sent, n->filled - n->sent);
        if (r < 0)
            return r;
        n->sent += (size_t)r;
    }
    n->sent = n->filled = 0;
    return 1;
}

/* Room for bytes to be sent: its size, with *to, AWS_AGAIN or an error. */
static int aws_i_space(aws_client *client, unsigned char **to)
{
    aws_i_connection *n = &client->connection;
    int r;

#ifndef AWS_NO_TLS
    if (n->secure) {
        size_t room;
        r = aws_i_tls_pump(client, BR_SSL_SENDAPP);
        if (r <= 0)
            return r ? r : aws_i_tls_failed(client);
        *to = br_ssl_engine_sendapp_buf(aws_i_engine(client), &room);
        return (int)room;
    }
#endif
    if (n->filled == n->out_size && (r = aws_i_flush(client)) <= 0)
        return r;
    *to = n->out + n->filled;
    return (int)(n->out_size - n->filled);
}

static void aws_i_commit(aws_client *client, size_t size)
{
#ifndef AWS_NO_TLS
    if (client->connection.secure) {
        br_ssl_engine_sendapp_ack(aws_i_engine(client), size);
        return;
    }
#endif
    client->connection.filled += size;
}

/* Take bytes that lie in memory: the count, AWS_AGAIN or an error. Large ones over plain http
 * aren't copied. */
static int aws_i_push(aws_client *client, const unsigned char *data, size_t size)
{
    aws_i_connection *n = &client->connection;
    unsigned char *to = NULL;
    int room;

    if (!aws_i_is_secure(n) && !n->filled && size >= n->out_size)
        return aws_i_send(client, data, size);
    if ((room = aws_i_space(client, &to)) <= 0)
        return room;
    size = aws_i_min(size, (size_t)room);
    memcpy(to, data, size);
    aws_i_commit(client, size);
    return (int)size;
}

/* Close in steps: 1 when closed, or AWS_AGAIN. Errors don't matter any more. */
static int aws_i_close(aws_client *client)
{
    aws_i_connection *n = &client->connection;

#ifndef AWS_NO_TLS
    if (n->secure && n->state == AWS_I_C_OPEN && !n->ended) {
        br_ssl_engine_close(aws_i_engine(client));
        n->state = AWS_I_C_NOTIFY;
        n->opened = aws_i_ticks(client);
    }
    if (n->state == AWS_I_C_NOTIFY && aws_i_ticks(client) - n->opened < AWS_I_NOTIFY_MS) {
        int code = client->failure.code;
        client->failure.code = AWS_ERR_CLOSED; /* keep the first cause, whatever happens now */
        if (aws_i_tls_pump(client, 0) == AWS_AGAIN) {
            client->failure.code = code;
            client->wake = n->opened + AWS_I_NOTIFY_MS;
            return aws_i_want(client, AWS_WAIT_WRITE | AWS_WAIT_TIMER);
        }
        client->failure.code = code;
    }
#endif
    if (n->state != AWS_I_C_CLOSED) {
        n->state = AWS_I_C_CLOSING;
        if (client->port->close(client->port, n->area) == AWS_AGAIN)
            return aws_i_want(client, AWS_WAIT_WRITE);
        n->state = AWS_I_C_CLOSED;
    }
    n->start = n->end = n->sent = n->filled = 0;
    n->used = n->doomed = n->ended = n->last = 0;
    return 1;
}

static int aws_i_connect_failed(aws_client *client, int code)
{
    if (client->failure.code)
        code = client->failure.code; /* the proxy's */
    else if (code != AWS_ERR_LOOKUP)
        code = AWS_ERR_CONNECT;
    return aws_i_port_failed(client, code);
}

/* The head of the answer lies behind the XML reader. */
static char *aws_i_head_of(const aws_client *client)
{
    return (char *)client->scratch + sizeof(aws_xml);
}

static size_t aws_i_head_room(const aws_client *client)
{
    return client->scratch_size - sizeof(aws_xml);
}

/* What a proxy is asked for: the connection, a request's target and header. */
enum { AWS_I_P_OPEN, AWS_I_P_TARGET, AWS_I_P_HEADER };

/* Connect and shake hands: 1, AWS_AGAIN or an error. */
static int aws_i_open(aws_client *client)
{
    aws_i_connection *n = &client->connection;
    const aws_port *port = client->port;
    int r;

    if (n->state == AWS_I_C_CLOSED) {
#ifndef AWS_NO_TLS
        n->secure = client->endpoint_secure && !(port->flags & AWS_PORT_TLS);
        if (n->secure && (r = aws_i_tls_ready(client)) < 0)
            return r;
#endif
        memset(n->area, 0, port->connection_size);
        n->state = AWS_I_C_OPENING;
        n->opened = aws_i_ticks(client);
        n->tunnel = 0;
        aws_i_log(client, AWS_I_L_CONNECT);
    }
    if (n->state == AWS_I_C_OPENING) {
        const aws_proxy *proxy = aws_i_config(client)->proxy;
        client->waits = AWS_WAIT_WRITE;
        r = proxy ? proxy->use(client, AWS_I_P_OPEN, NULL)
                  : port->open(port, n->area, client->host, client->port_number,
                               client->endpoint_secure);
        if (r == AWS_AGAIN)
            return r;
        if (r < 0)
            return aws_i_connect_failed(client, r);
        n->state = AWS_I_C_OPEN;
#ifndef AWS_NO_TLS
        if (n->secure) {
            if ((r = aws_i_tls_start(client)) < 0) {
                n->state = AWS_I_C_CLOSING;
                return r;
            }
            n->state = AWS_I_C_HANDSHAKE;
        }
#endif
    }
#ifndef AWS_NO_TLS
    if (n->state == AWS_I_C_HANDSHAKE) {
        if ((r = aws_i_tls_handshake(client)) < 0)
            return r;
        n->state = AWS_I_C_OPEN;
    }
#endif
    aws_i_moved(client);
    return 1;
}

/* ---- Proxy: only in programs that name aws_proxy_http ---- */

static const char *aws_i_env(const aws_port *port, const char *name)
{
    const char *value = port && port->env ? port->env(port, name) : NULL;

    return value && *value ? value : NULL;
}

/* Whether host (or host:port) is one of the list, or below one of them. */
static int aws_i_proxy_excepts(const aws_client *client, const char *list)
{
    size_t host = strlen(client->host);

    for (; *list; list += *list == ',') {
        size_t size, name, i;
        list += strspn(list, ", \t");
        size = strcspn(list, ", \t");
        if (size == 1 && *list == '*')
            return 1;
        if (size && *list == '.') {
            list++;
            size--;
        }
        name = size;
        while (name && aws_i_digit((unsigned char)list[name - 1]))
            name--;
        if (name > 1 && name < size && list[name - 1] == ':') {
            uint64_t number = 0;
            for (i = name; i < size; i++)
                number = number * 10 + (unsigned)(list[i] - '0');
            name = number == client->port_number ? name - 1 : 0;
        } else {
            name = size;
        }
        for (i = 0; i < name && i < host; i++)
            if (aws_i_lower((unsigned char)list[name - 1 - i]) != client->host[host - 1 - i])
                break;
        if (name && i == name && (i == host || client->host[host - 1 - i] == '.'))
            return 1;
        list += strcspn(list, ",");
    }
    return 0;
}

/* The proxy's URL for the client's endpoint, NULL if it is reached directly. */
static const char *aws_i_proxy_url(const aws_client *client)
{
    const aws_proxy *proxy = aws_i_config(client)->proxy;
    const char *url = proxy->url, *except = proxy->except;
    const aws_port *port = client->port;

    if (!url && port->env) { /* an empty one says that there is none, whatever HTTPS_PROXY says */
        url = port->env(port, client->endpoint_secure ? "https_proxy" : "http_proxy");
        url = url ? url : aws_i_env(port, client->endpoint_secure ? "HTTPS_PROXY" : "HTTP_PROXY");
    }
    if (!except)
        except = aws_i_env(port, "no_proxy");
    if (!except)
        except = aws_i_env(port, "NO_PROXY");
    return url && *url && !(except && aws_i_proxy_excepts(client, except)) ? url : NULL;
}

/* What follows http://, which may be missing. */
static const char *aws_i_proxy_user(const char *url)
{
    const char *at = aws_i_within(url, "://");

    return at ? at + 3 : url;
}

/* What follows the user and password. */
static const char *aws_i_proxy_host(const char *url)
{
    const char *at = aws_i_proxy_user(url), *sign = strrchr(at, '@');

    return sign ? sign + 1 : at;
}

static int aws_i_hex_digit(int c)
{
    c = aws_i_lower(c);
    return aws_i_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum { AWS_I_P_USER = 256 }; /* bytes of user and password as they are written */

/* Proxy-Authorization, if the URL has a user. */
static void aws_i_out_proxy_user(aws_out *out, const char *url)
{
    unsigned char user[AWS_I_P_USER];
    const char *at = aws_i_proxy_user(url), *end = aws_i_proxy_host(url) - 1;
    size_t size = 0;

    if (end < at)
        return;
    for (; at < end && size < sizeof user; at++) {
        int high = *at == '%' && end - at > 2 ? aws_i_hex_digit((unsigned char)at[1]) : -1;
        int low = high >= 0 ? aws_i_hex_digit((unsigned char)at[2]) : -1;
        user[size++] = (unsigned char)(low >= 0 ? high << 4 | low : *at);
        at += low >= 0 ? 2 : 0;
    }
    aws_out_text(out, "\r\nproxy-authorization: Basic ");
    aws_i_out_base64(out, user, size);
    aws_i_wipe(user, sizeof user);
}

/* host:port, always with the port. */
static void aws_i_out_authority(aws_out *out, const aws_client *client)
{
    aws_i_out_host(out, client);
    if (client->port_number == 443)
        aws_out_text(out, ":443");
}

static int aws_i_proxy_failed(aws_client *client, int reason, const char *host)
{
    aws_out status;

    client->failure.code = 0;
    aws_i_fail(client, reason, host);
    client->failure.http_status = client->http.status;
    aws_i_out(&status, client->failure.expected, sizeof client->failure.expected - 1);
    aws_out_number(&status, (uint64_t)client->http.status);
    client->failure.expected[status.used] = 0;
    return client->failure.code;
}

/* It isn't the endpoint that wasn't found or doesn't listen. */
static int aws_i_proxy_unreached(aws_client *client, int code, const char *host)
{
    return aws_i_fail(client, code == AWS_ERR_LOOKUP ? -code : -AWS_ERR_CONNECT, host);
}

enum { AWS_I_P_HOST = 300 }; /* bytes at the end of the scratch for the proxy's host */

/* CONNECT and its answer: 0, AWS_AGAIN or an error. The connection is plain until then. */
static int aws_i_proxy_tunnel(aws_client *client, const char *url, const char *host)
{
    const unsigned char *data;
    size_t size;
    int r = 1;

    while (client->connection.tunnel == 1) {
        unsigned char *to = NULL;
        aws_out out;
        if ((r = aws_i_space(client, &to)) < 0)
            return r;
        aws_i_out(&out, to, (size_t)r);
        out.skip = (size_t)client->offset;
        aws_out_text(&out, "CONNECT ");
        aws_i_out_authority(&out, client);
        aws_out_text(&out, " HTTP/1.1\r\nhost: ");
        aws_i_out_authority(&out, client);
        aws_i_out_proxy_user(&out, url);
        aws_out_text(&out, aws_i_text_end);
        aws_i_commit(client, out.used);
        client->offset += out.used;
        if (client->offset == out.length)
            client->connection.tunnel = 2;
    }
    if (client->connection.tunnel == 2 && (r = aws_i_flush(client)) <= 0)
        return r;
    client->connection.tunnel = 3;
    for (;;) {
        r = aws_i_peek(client, &data);
        if (r == 0 || r == AWS_ERR_CLOSED)
            return aws_i_proxy_failed(client, AWS_REASON_UNANSWERED, host);
        if (r < 0)
            return r;
        size = (size_t)r;
        r = aws_i_http_head(&client->http, aws_i_head_of(client),
                            aws_i_head_room(client) - AWS_I_P_HOST, data, &size);
        aws_i_consume(client, size);
        if (r < 0)
            return aws_i_proxy_failed(client, AWS_REASON_PROXY_ANSWER, host);
        if (r > 0)
            break;
    }
    r = client->http.status;
    return r / 100 == 2 ? 0
           : aws_i_proxy_failed(client, r == 407 ? AWS_REASON_PROXY_USER : AWS_REASON_PROXY_REFUSED,
                                host);
}

/* Open the connection to the proxy, and through it. Its host lies in the scratch, which nothing
 * else uses before the connection is there. */
static int aws_i_proxy_open(aws_client *client, const char *url)
{
    aws_i_connection *n = &client->connection;
    char *text = aws_i_head_of(client) + aws_i_head_room(client) - AWS_I_P_HOST;
    const char *user = aws_i_proxy_user(url), *host = aws_i_proxy_host(url);
    aws_i_endpoint end;
    aws_out out;
    size_t i;
    int r = 0, secure = n->secure;

    aws_i_out(&out, text, AWS_I_P_HOST - 1);
    aws_out_text(&out, aws_i_text_http);
    aws_out_text(&out, host);
    text[out.used] = 0;
    for (i = 0; i < out.used; i++)
        text[i] = (char)aws_i_lower((unsigned char)text[i]);
    if (out.length >= AWS_I_P_HOST || (user != url && strncmp(url, aws_i_text_http, 7) != 0) ||
        (size_t)(host - user) > AWS_I_P_USER + 1 || !aws_i_endpoint_parse(text, &end))
        r = aws_i_fail(client, AWS_REASON_PROXY, host);
    else if (client->endpoint_secure && !n->secure)
        r = aws_i_fail(client, AWS_REASON_PROXY_TLS, host);
    if (r < 0) {
        n->state = AWS_I_C_CLOSED;
        return r;
    }
    text[(size_t)(end.host - text) + end.size] = 0;
    if (!n->tunnel) {
        r = client->port->open(client->port, n->area, end.host, end.port, 0);
        if (r < 0)
            return r == AWS_AGAIN ? r : aws_i_proxy_unreached(client, r, end.host);
        aws_i_log_text(client, "proxy ", end.host, end.port);
        aws_i_http_init(&client->http);
        client->offset = 0;
        n->tunnel = 1;
    }
    if (!secure)
        return 0;
    n->secure = 0;
    r = aws_i_proxy_tunnel(client, url, end.host);
    n->secure = (unsigned char)secure;
    return r;
}

AWS_API int aws_proxy_http(aws_client *client, int step, aws_out *out)
{
    const char *url = aws_i_proxy_url(client);

    if (step == AWS_I_P_OPEN)
        return url ? aws_i_proxy_open(client, url)
                   : client->port->open(client->port, client->connection.area, client->host,
                                        client->port_number, client->endpoint_secure);
    if (!url || client->endpoint_secure)
        return 0;
    if (step == AWS_I_P_HEADER) {
        aws_i_out_proxy_user(out, url);
    } else {
        aws_out_text(out, aws_i_text_http);
        aws_i_out_host(out, client);
    }
    return 0;
}

/* ---- Requests: what goes out ---- */

enum {
    AWS_I_IDLE,
    AWS_I_FAILED,   /* idle after a failure, which read, write and finish repeat */
    AWS_I_TAKE,     /* take the stream from its owner */
    AWS_I_HASH,     /* the payload */
    AWS_I_KEYS,     /* credentials */
    AWS_I_OPEN,     /* a connection */
    AWS_I_SIGN,
    AWS_I_HEAD,     /* send it */
    AWS_I_BODY,     /* send it, perhaps with the server's leave */
    AWS_I_WRITE,    /* the caller sends it */
    AWS_I_RESPONSE, /* read the answer's head */
    AWS_I_ANSWER,   /* store its body */
    AWS_I_STREAM,   /* the caller reads it */
    AWS_I_ERROR,    /* read an error body */
    AWS_I_DECIDE,   /* after an error */
    AWS_I_BACKOFF,
    AWS_I_WRAP      /* close if need be, then end */
};

/* aws_client.probing: before the request itself goes an unsigned HEAD, for the time or for the
 * bucket's region. */
enum { AWS_I_CLOCKLESS = 1, AWS_I_ASK = 2 };

/* What it says, and what its answer is for; in the program with those who may want one. */
struct aws_i_probe {
    void (*out)(aws_out *out, const aws_client *client);
    int (*done)(aws_client *client);
};

/* aws_client.tried: what is put right once per call. */
enum {
    AWS_I_CERTIFICATE = 1,
    AWS_I_CLOCK = 2,
    AWS_I_TOKEN = 4,
    AWS_I_REGION = 8,
    AWS_I_LOST = 16 /* an answer: the request may have been carried out */
};

/* A step's result besides the next state, 0 (the caller goes on), AWS_AGAIN and errors: the state
 * is set already. */
enum { AWS_I_GO = -256 };

static void aws_i_view_of(aws_i_view *view, const aws_client *client)
{
    view->source = &aws_i_client_source;
    view->client = client;
    view->keys = client->keys;
    view->digest = client->signature;
    view->texts[AWS_I_V_METHOD] = client->call.method;
    view->texts[AWS_I_V_DATE] = client->date;
    view->texts[AWS_I_V_REGION] = client->region;
    view->texts[AWS_I_V_SERVICE] = client->signing_name;
    view->texts[AWS_I_V_END] = aws_i_scope_end;
    view->texts[AWS_I_V_KEY_ID] = client->keys->access_key_id;
    view->query_count = client->query_count;
    view->item_count = client->item_count;
}

/* Over plain http a proxy is told the whole URL, and who asks. */
static void aws_i_out_proxied(aws_out *out, const aws_client *client, int step)
{
    const aws_proxy *proxy = aws_i_config(client)->proxy;

    if (proxy)
        proxy->use((aws_client *)(uintptr_t)client, step, out); /* which reads it only */
}

/* With the end of the line before. */
static void aws_i_out_user_agent(aws_out *out, const aws_client *client)
{
    const char *extra = aws_i_config(client)->user_agent_extra;

    aws_out_text(out, "\r\nuser-agent: aws.h/" AWS_VERSION);
    if (extra) {
        aws_out_text(out, " ");
        aws_out_text(out, extra);
    }
    aws_i_out_proxied(out, client, AWS_I_P_HEADER);
}

AWS_API const aws_call *aws_client_call(const aws_client *client)
{
    return &client->call;
}

AWS_API const char *aws_client_host(const aws_client *client)
{
    return client->host;
}

AWS_API int aws_client_target(const aws_client *client, char *text, size_t size)
{
    aws_i_view view;
    aws_out out;

    aws_i_view_of(&view, client);
    aws_i_out(&out, text, size);
    aws_i_out_form(&out, &view, aws_i_target_form);
    aws_out_bytes(&out, "", 1);
    return out.length > size ? AWS_ERR_MEMORY : (int)aws_i_int_max(out.length - 1);
}

/* The request head: a pure function of the call, the keys and the time. */
static void aws_i_out_head(aws_out *out, const aws_client *client)
{
    static const char end[] = "\r\nauthorization: " AWS_I_AUTHORIZATION "\r\n\r\n";
    aws_i_view view;

    aws_i_view_of(&view, client);
    aws_i_out_form(out, &view, AWS_I_F_METHOD " ");
    aws_i_out_proxied(out, client, AWS_I_P_TARGET);
    aws_i_out_form(out, &view, AWS_I_F_PATH AWS_I_F_QUERY " HTTP/1.1" AWS_I_F_HEADERS);
    if (client->size || client->call.method[0] == 'P') {
        aws_out_text(out, "\r\ncontent-length: ");
        aws_out_number(out, client->encoded);
    }
    if (client->expect)
        aws_out_text(out, client->expect);
    aws_i_out_user_agent(out, client);
    aws_i_out_form(out, &view, client->anonymous ? end + sizeof end - 5 : end);
}

AWS_API int aws_call_refuse(aws_client *client, int reason, const char *value)
{
    if (!client->pending)
        client->pending = aws_i_fail(client, reason, value);
    return client->pending;
}

/* Add an item in sorted order. */
static void aws_i_add(aws_client *client, const char *prefix, const char *name, const char *value,
                      size_t length, int kind)
{
    aws_i_item item, *at = client->items + client->item_count;
    int order = 1;

    item.prefix = prefix;
    item.name = name;
    item.value = value;
    item.length = length;
    item.kind = (unsigned char)kind;
    if (client->item_count == client->item_room) {
        aws_call_refuse(client, AWS_REASON_TOO_MANY_MEMBERS, name);
        return;
    }
    for (; at > client->items && (order = aws_i_compare(&item, at - 1)) < 0; at--)
        *at = at[-1];
    item.again = !order;
    *at = item;
    client->item_count++;
    if (kind < AWS_I_HEADER)
        client->query_count++;
}

AWS_API void aws_call_query(aws_client *client, const char *name, const char *value)
{
    value = value ? value : "";
    aws_i_add(client, "", name, value, strlen(value), AWS_I_QUERY);
}

AWS_API void aws_call_query_number(aws_client *client, const char *name, size_t value)
{
    aws_i_add(client, "", name, "", value, AWS_I_QUERY_NUMBER);
}

AWS_API void aws_call_page(aws_client *client, const char *name, unsigned most)
{
#ifndef AWS_NO_TLS
    enum { USUAL = 1000 };

    if (client->bounded && !most)
        most = USUAL;
    if (most) /* the value isn't sent: it tells that this number may be made less */
        aws_i_add(client, "", name, "page", most, AWS_I_QUERY_NUMBER);
#else
    if (most)
        aws_call_query_number(client, name, most);
#endif
}

/* A second header of these names would change what the request is. */
static int aws_i_own_header(const char *name)
{
    static const char names[] = "host\0content-length\0transfer-encoding\0connection\0"
                                "authorization\0x-amz-date\0x-amz-content-sha256\0"
                                "x-amz-security-token\0user-agent\0expect\0";
    const char *own;

    for (own = names; *own; own += strlen(own) + 1)
        if (aws_i_equal_nocase(own, name))
            return 1;
    return 0;
}

/* x-amz-copy-source: percent-encoded but for '/' and a "?versionId=" at its end. */
static void aws_i_out_source(aws_out *out, const char *value)
{
    static const char suffix[] = "?versionId=";
    size_t size = strlen(value), at = size;

    while (at && strncmp(value + at, suffix, sizeof suffix - 1) != 0)
        at--;
    if (!at || !value[at + sizeof suffix - 1] || !aws_i_plain_text(value + at))
        at = size;
    aws_out_uri(out, value, at, "/");
    aws_out_text(out, value + at);
}

/* Headers that not every request has are written by a function that is linked only with what adds
 * them. */
static void aws_i_out_given(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    const aws_client *client = view->client;

    if (view->form == AWS_I_I_NAME) {
        aws_i_out_lower(out, item->name);
        return;
    }
    switch (item->kind) {
    case AWS_I_HEADER_URI:
        aws_i_out_source(out, item->value);
        break;
    case AWS_I_HEADER_TARGET:
        aws_out_text(out, item->value);
        aws_out_text(out, aws_i_text_dot);
        aws_out_text(out, client->call.operation);
        break;
    case AWS_I_HEADER_CHUNKED:
        client->chunked->value(out, client, item);
        break;
    default:
        aws_i_out_trimmed(out, item->value, item->length, view->form != AWS_I_I_HEADERS);
    }
}

/* A header with a value that isn't ours. */
static void aws_i_add_header(aws_client *client, const char *prefix, const char *name,
                             const char *value)
{
    size_t i, size = strlen(value);

    for (i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < 0x20 && c != '\t') || c >= 0x7f)
            aws_call_refuse(client, AWS_REASON_HEADER_VALUE, name);
    }
    aws_i_add(client, prefix, name, value, size, AWS_I_HEADER);
}

AWS_API void aws_call_header(aws_client *client, const char *prefix, const char *name,
                             const char *value)
{
    size_t i;

    if (!value)
        return;
    client->given = aws_i_out_given;
    for (i = 0; name[i]; i++)
        if (!aws_i_token((unsigned char)name[i]))
            break;
    if (name[i] || !i)
        aws_call_refuse(client, AWS_REASON_HEADER_NAME, name);
    else if (!prefix && aws_i_own_header(name))
        aws_call_refuse(client, AWS_REASON_HEADER_OWN, name);
    aws_i_add_header(client, prefix ? prefix : "", name, value);
}

AWS_API void aws_call_header_uri(aws_client *client, const char *name, const char *value)
{
    client->given = aws_i_out_given;
    if (value)
        aws_i_add(client, "", name, value, strlen(value), AWS_I_HEADER_URI);
}

/* Bodies that aren't in memory. */
enum {
    AWS_I_BODY_PLAN,   /* what is known of it when the call is entered */
    AWS_I_BODY_HASH,   /* into its hashes: 0, AWS_AGAIN or an error */
    AWS_I_BODY_BEGIN,  /* an attempt that begins at its first byte: 0, AWS_I_GO or an error */
    AWS_I_BODY_SEND,   /* 0: it is in memory, else AWS_I_GO, AWS_AGAIN or an error */
    AWS_I_BODY_REFUSED /* 1: it goes without being announced */
};

static AWS_I_APART int aws_i_bodies(aws_client *client, int step)
{
    aws_feature *feature =
        client->call.emitted ? client->call.emitted : aws_i_features(client)->bodies;

    return feature ? feature(client, step) : 0;
}

static int aws_i_in_progress(const aws_client *client)
{
    return client->state != AWS_I_IDLE && client->state != AWS_I_FAILED;
}

static int aws_i_same_call(const aws_call *a, const aws_call *b)
{
    return memcmp(a, b, offsetof(aws_call, method)) == 0; /* pointers, without gaps */
}

/* Each call begins with it: texts end at once, their rest isn't wiped. */
static void aws_i_failure_reset(aws_client *client)
{
    aws_failure *f = &client->failure;

    memset(f, 0, offsetof(aws_failure, aws_code));
    *f->aws_code = *f->message = *f->request_id = *f->host_id = *f->value = *f->expected = 0;
    f->operation = client->call.operation ? client->call.operation : "";
    f->attempts = client->attempts;
}

/* What every call has to keep, checked at its first entry. */
static void aws_i_check_call(aws_client *client)
{
    const aws_call *call = &client->call;

    if (call->bucket && !aws_i_bucket_is_valid(call->bucket) &&
        !(aws_i_config(client)->addresses && aws_i_is_arn(call->bucket)))
        aws_call_refuse(client, AWS_REASON_BUCKET_NAME, call->bucket);
    if (client->service->region)
        client->service->region(client, 0);
    if (!aws_i_target(client))
        aws_call_refuse(client, AWS_REASON_HOST_LENGTH, client->host);
#ifndef AWS_NO_TLS
    if (client->endpoint_secure && client->custom_endpoint == AWS_I_ENDPOINT_IP &&
        !aws_i_config(client)->tls_name && !(client->port->flags & AWS_PORT_TLS))
        aws_call_refuse(client, AWS_REASON_IP_HOST, client->host);
#endif
}

static void aws_i_need(aws_client *client, aws_feature *feature, const char *name)
{
    if (!feature)
        aws_call_refuse(client, AWS_REASON_FEATURE, name);
}

/* Its size, and how it is signed. Without the features what can't do without is refused. */
static void aws_i_plan_body(aws_client *client)
{
    const aws_features *features = aws_i_features(client);
    const aws_call *call = &client->call;

    if (call->source || call->flags & AWS_CALL_WRITE)
        aws_i_need(client, features->bodies, "bodies");
    if (call->checksum || call->flags & AWS_CALL_CHECKSUM_REQUIRED)
        aws_i_need(client, features->checksums, "checksums");
    aws_i_bodies(client, AWS_I_BODY_PLAN);
    client->encoded = client->size;
#ifdef AWS_SMALL /* hashing nothing takes time, its hash 65 bytes */
    client->payload_text = NULL;
#else
    client->payload_text = client->size ? NULL : aws_i_empty_sha256;
#endif
    if (client->anonymous ||
        (client->endpoint_secure && client->size && client->service->flags & AWS_SERVICE_S3 &&
         !((aws_i_config(client)->sign_payload || call->flags & AWS_CALL_SIGN_BODY) &&
           !client->one_pass)))
        client->payload_text = aws_i_text_unsigned;
}

AWS_API int aws_call_enter(aws_client *client, const aws_call *call)
{
    static const char names[] = "host\0x-amz-date\0x-amz-content-sha256\0x-amz-security-token";
    int last = client->anonymous ? AWS_I_HEADER_HOST : AWS_I_HEADER_TOKEN, kind;
    const char *name = names; /* of our own headers, as their kinds follow each other */
    int streaming = client->state == AWS_I_STREAM;
    const size_t fresh = offsetof(aws_client, attempts);

    if (client->broken)
        return client->broken;
    if (streaming && client->owner) {
        if (!client->save) { /* it can't go on after another call */
            aws_i_failure_reset(client);
            return aws_i_fail(client, AWS_REASON_LISTING, NULL);
        }
    } else if (aws_i_in_progress(client)) {
        if (streaming && !(client->call.flags & AWS_CALL_XML))
            return AWS_ERR_BUSY;
        return aws_i_same_call(&client->call, call) ? 0 : AWS_ERR_BUSY;
    }
    client->call = *call;
    client->state = AWS_I_TAKE;
    client->pending = client->result = 0;
    client->probing = client->tried = client->expected = client->one_pass = 0;
    client->body_begun = client->inflight = client->early = client->quota_cost = 0;
    memset((unsigned char *)client + fresh, 0, offsetof(aws_client, call) - fresh);
#ifndef AWS_NO_TLS
    client->ranging = 0;
    client->kept = 0;
#endif
    client->started = client->progressed = aws_i_ticks(client);
    client->timeout = call->timeout ? call->timeout : aws_i_config(client)->call_timeout;
    client->size = call->size;
    aws_i_failure_reset(client);
    aws_i_plan_body(client);
    aws_i_check_call(client);
    for (kind = AWS_I_HEADER_HOST; kind <= last; kind++, name += strlen(name) + 1)
        if (kind != AWS_I_HEADER_PAYLOAD || client->service->flags & AWS_SERVICE_S3)
            aws_i_add(client, "", name, client->date, 0, kind);
    return 1;
}

/* ---- Steps of a call ---- */

static int aws_i_go(aws_client *client, int state)
{
    client->state = (unsigned char)state;
    return AWS_I_GO;
}

static int aws_i_sleep(aws_client *client, uint32_t ms)
{
    client->wake = aws_i_ticks(client) + ms;
    return aws_i_want(client, AWS_WAIT_TIMER);
}

static void aws_i_body_take(aws_client *client, const unsigned char *data, size_t size)
{
    if (client->verifying)
        client->verifying->update(client->sum, data, size);
#ifndef AWS_NO_TLS
    if (client->state != AWS_I_ERROR)
        client->came += size;
#endif
    aws_i_http_take(&client->http, size);
    aws_i_consume(client, size);
}

static aws_xml *aws_i_xml_of(const aws_client *client)
{
    return (aws_xml *)(void *)client->scratch;
}

/* Take what the XML reader has read of its piece. */
static void aws_i_settle(aws_client *client)
{
    const unsigned char *piece = client->piece;

    client->piece = NULL;
    if (piece)
        aws_i_body_take(client, piece, (size_t)(aws_i_xml_of(client)->at - piece));
}

enum {
    AWS_I_SUM_PLAN,   /* which checksums a call wants */
    AWS_I_SUM_MADE,   /* the body's is complete */
    AWS_I_SUM_EXPECT, /* the answer's head is there */
    AWS_I_SUM_VERIFY  /* and its body */
};

static int aws_i_checksums(aws_client *client, int step)
{
    return aws_i_features(client)->checksums ? aws_i_features(client)->checksums(client, step) : 0;
}

static const aws_dialect *aws_i_dialect_of(const aws_client *client);

/* Verify the answer by the first of the dialect's checksums that it has. One of checksums ("-" and
 * their count at its end) says nothing of the whole. */
static void aws_i_begin_verify(aws_client *client)
{
    const aws_digest *const *digest = aws_i_dialect_of(client)->verified;

    client->verifying = NULL;
    if (!(client->call.flags & AWS_CALL_VERIFY) || client->http.status != 200)
        return;
    for (; digest && *digest; digest++) {
        const char *name = (*digest)->header, *said;
#ifndef AWS_SMALL
        if (!(client->http.lengths >> ((strlen(name) + 1) & 31) & 1))
            continue; /* most answers have none, and aren't searched for each */
#endif
        said = aws_client_header(client, name);
        if (said && !strchr(said, '-')) {
            client->verifying = *digest;
            (*digest)->init(client->sum);
            return;
        }
    }
}

/* All of the answer has come: 0, or it isn't what its checksum says. */
static int aws_i_verify(aws_client *client)
{
    const aws_digest *digest = client->verifying;
    const char *said;
    unsigned char checksum[32];
    char text[48];
    aws_out out;

    client->verifying = NULL;
    digest->out(client->sum, checksum);
    aws_i_out(&out, text, sizeof text - 1);
    aws_i_out_base64(&out, checksum, digest->size);
    text[out.used] = 0;
    said = aws_client_header(client, digest->header);
    if (said && aws_i_equal(said, text))
        return 0;
    client->connection.doomed = 1;
    aws_i_fail(client, AWS_REASON_CHECKSUM, text);
    aws_i_set(client->failure.expected, sizeof client->failure.expected, said);
    return AWS_ERR_CHECKSUM;
}

/* Bytes of the answer: how many, AWS_AGAIN or an error, which is `cut` if the peer has closed. */
static AWS_I_APART int aws_i_come(aws_client *client, const unsigned char **data, int cut)
{
    int r = aws_i_peek(client, data);

    if (r && r != AWS_ERR_CLOSED)
        return r;
    client->failure.code = 0;
    return aws_i_fail(client, cut, client->host);
}

/* Body bytes of the answer: how many, 0 at its complete end, AWS_AGAIN or an error. */
static int aws_i_body(aws_client *client, const unsigned char **data)
{
    int r;

    aws_i_settle(client);
    while (client->http.state != AWS_I_H_DONE) {
        if ((r = aws_i_come(client, data, AWS_REASON_BODY_CUT)) < 0)
            return r;
        r = aws_i_http_slice(&client->http, *data, r);
        if (r > 0)
            return r;
        if (r < 0) {
            client->connection.doomed = 1;
            return aws_i_fail(client, AWS_REASON_CHUNKS, NULL);
        }
        aws_i_consume(client, 1);
    }
    if ((r = aws_i_bounded(client, AWS_I_B_NEXT, 0)) != 0)
        return r;
    return client->verifying ? aws_i_checksums(client, AWS_I_SUM_VERIFY) : 0;
}

/* Read and drop what is left if it is short, else give the connection up: AWS_AGAIN, or it is
 * done. */
static int aws_i_drain(aws_client *client)
{
    enum { LITTLE = 4096 };
    const unsigned char *data;
    int r = 1;

    aws_i_settle(client);
    while (r > 0 && !client->connection.doomed) {
        if (client->http.length > LITTLE || client->drained > LITTLE) {
            client->connection.doomed = 1;
        } else if ((r = aws_i_body(client, &data)) > 0) {
            aws_i_body_take(client, data, (size_t)r);
            client->drained += (uint32_t)r;
        } else if (r != 0 && r != AWS_AGAIN) {
            client->connection.doomed = 1;
        }
    }
    return r;
}

/* The value of a header of the caller's whose name begins like this, NULL if there is none. */
static const char *aws_i_given(const aws_client *client, const char *name)
{
    const aws_i_item *item = client->items + client->query_count;
    size_t i;

    for (; item < client->items + client->item_count; item++) {
        if (item->kind != AWS_I_HEADER)
            continue;
        for (i = 0; name[i] && aws_i_lower((unsigned char)item->name[i]) == name[i]; i++)
            continue;
        if (!name[i])
            return item->value;
    }
    return NULL;
}

/* One of the dialect's digests by its name, NULL if it isn't there. */
static const aws_digest *aws_i_digest_named(const aws_client *client, const char *name)
{
    const aws_digest *const *digest = aws_i_dialect_of(client)->verified;

    while (digest && *digest && !((*digest)->name && aws_i_equal((*digest)->name, name)))
        digest++;
    return digest ? *digest : NULL;
}

/* A body that can be read only once: in chunks, with its checksum after them, or as it is. */
static void aws_i_plan_chunks(aws_client *client, int must)
{
    const aws_dialect *dialect = aws_i_dialect_of(client);
    unsigned forms = dialect->chunked && !client->anonymous ? dialect->forms : 0;
    int secure = client->endpoint_secure;

    if (!secure && !(forms & AWS_FORM_SIGNED_CHUNKS) && !client->anonymous)
        aws_call_refuse(client, AWS_REASON_NOT_REWINDABLE, NULL);
    if (client->digest && !(forms & (secure ? AWS_FORM_TRAILER : AWS_FORM_SIGNED_TRAILER))) {
        if (must)
            aws_call_refuse(client, AWS_REASON_NO_TRAILER, NULL);
        client->digest = NULL;
    }
    if (forms && (client->digest || !secure)) {
        client->chunked = dialect->chunked;
        client->chunked->plan(client);
    }
}

/* The checksum of the body, now that all members are known, and the wish for the answer's. */
static void aws_i_plan_checksums(aws_client *client)
{
    const aws_config *config = aws_i_config(client);
    unsigned flags = client->call.flags;
    const aws_digest *digest = client->call.checksum;
    int must = digest || flags & AWS_CALL_CHECKSUM_REQUIRED;
    const char *named = aws_i_given(client, "x-amz-sdk-checksum-algorithm"), *given;

    if (named)
        digest = aws_i_digest_named(client, named);
    else if (!digest && must)
        digest = aws_i_dialect_of(client)->required;
    else if (!digest && flags & AWS_CALL_CHECKSUM && !config->request_checksum_calculation)
        digest = aws_i_dialect_of(client)->optional;
    given = aws_i_given(client, digest && !digest->name ? digest->header : "x-amz-checksum-");
    if (given)
        digest = NULL;
    client->digest = digest;
    if (client->size && client->one_pass)
        aws_i_plan_chunks(client, must);
    if (client->digest) {
        client->digest->init(client->sum);
        aws_call_header(client, "", "x-amz-sdk-checksum-algorithm", named ? NULL : digest->name);
        if (!client->chunked)
            aws_i_add(client, "", digest->header, client->checksum_text, 0, AWS_I_HEADER_TEXT);
    }
    if (flags & AWS_CALL_VERIFY && !given && aws_i_dialect_of(client)->verified &&
        !config->response_checksum_validation)
        aws_call_header(client, "", "x-amz-checksum-mode", "ENABLED");
    if (client->digest)
        client->digest->init(client->sum);
}

static void aws_i_checksum_made(aws_client *client)
{
    aws_out out;

    if (!client->digest)
        return;
    if (client->call.data) /* else it has gone by */
        client->digest->update(client->sum, client->call.data, (size_t)client->size);
    client->digest->out(client->sum, client->checksum);
    aws_i_out(&out, client->checksum_text, sizeof client->checksum_text - 1);
    aws_i_out_base64(&out, client->checksum, client->digest->size);
    client->checksum_text[out.used] = 0;
}

AWS_API int aws_feature_checksums(aws_client *client, int step)
{
    if (step == AWS_I_SUM_PLAN)
        aws_i_plan_checksums(client);
    else if (step == AWS_I_SUM_MADE)
        aws_i_checksum_made(client);
    else if (step == AWS_I_SUM_VERIFY)
        return aws_i_verify(client);
    else
        aws_i_begin_verify(client);
    return 0;
}

AWS_API const aws_dialect *aws_call_dialect(const aws_client *client)
{
    return aws_i_config(client)->dialect;
}

AWS_API const aws_digest *aws_call_digest(const aws_client *client, const aws_digest *wanted)
{
    const aws_config *config = aws_i_config(client);

    if (wanted || config->request_checksum_calculation || !config->features->checksums)
        return wanted;
    return aws_i_dialect_of(client)->optional;
}

/* It would mean the bucket. */
static int aws_i_key_empty(const aws_client *client)
{
    return client->call.key && !*client->call.key;
}

static int aws_i_step_take(aws_client *client)
{
    if (client->owner) {
        if (client->save(client->owner, 0, NULL) == AWS_AGAIN)
            return AWS_AGAIN;
        client->owner = NULL;
    }
    if (client->connection.state == AWS_I_C_OPEN && client->http.state != AWS_I_H_DONE &&
        aws_i_drain(client) == AWS_AGAIN)
        return AWS_AGAIN;
    aws_i_moved(client); /* the old stream's silence isn't this call's */
    aws_i_failure_reset(client);
    if (aws_i_key_empty(client)) /* perhaps by now, if it was where an iterator reads */
        return aws_i_fail(client, AWS_REASON_NO_KEY, NULL);
    aws_i_checksums(client, AWS_I_SUM_PLAN);
    aws_i_sha256_init((aws_i_sha256 *)client->hash);
    return AWS_I_HASH;
}

/* The body's payload hash and its checksum, as far as they are wanted. */
static int aws_i_step_hash(aws_client *client)
{
    const aws_call *call = &client->call;
    int r = aws_i_bodies(client, AWS_I_BODY_HASH);

    if (r < 0)
        return r;
    if (!client->payload_text) {
        if (call->data)
            aws_i_sha256_update((aws_i_sha256 *)client->hash, call->data, (size_t)client->size);
        aws_i_sha256_final((aws_i_sha256 *)client->hash, client->payload);
    }
    aws_i_checksums(client, AWS_I_SUM_MADE);
    client->attempts = client->failure.attempts = 1;
    aws_i_hook(client, AWS_HOOK_SIGN);
    return AWS_I_KEYS;
}

/* ---- Credentials ---- */

/* What is wrong with keys, 0 nothing. */
static int aws_i_keys_fault(const aws_keys *keys)
{
    int id = keys->access_key_id && *keys->access_key_id;
    int secret = keys->secret_access_key && *keys->secret_access_key;

    if (!id || !secret)
        return id ? AWS_REASON_NO_SECRET : secret ? AWS_REASON_NO_KEY_ID : AWS_REASON_NO_KEYS;
    if (!aws_i_plain_text(keys->access_key_id) || !aws_i_plain_text(keys->secret_access_key) ||
        (keys->session_token && !aws_i_plain_text(keys->session_token)))
        return AWS_REASON_KEY_TEXT;
    return 0;
}

/* The same of keys that a source gives at that time, which may not be known. */
static AWS_I_APART int aws_i_keys_wrong(const aws_keys *keys, int64_t now)
{
    int fault = aws_i_keys_fault(keys);

    return !fault && now && keys->expiration && keys->expiration <= now
               ? AWS_REASON_PROVIDER_EXPIRED
               : fault;
}

/* From 15 minutes before expiry new keys should be there, from 10 minutes on they must. */
enum { AWS_I_KEYS_MUST, AWS_I_KEYS_SHOULD, AWS_I_KEYS_GOOD };

static int aws_i_keys_age(const aws_session *session, int64_t now)
{
    int64_t left = session->keys.expiration - now;

    if (!session->keys.access_key_id)
        return AWS_I_KEYS_MUST;
    if (!session->keys.expiration || !now || left > 900)
        return AWS_I_KEYS_GOOD; /* for ever, or not known */
    return left > 600 ? AWS_I_KEYS_SHOULD : AWS_I_KEYS_MUST;
}

/* Take what the provider said. */
static int aws_i_keys_take(aws_client *client, int r, const aws_keys *keys, int64_t now)
{
    aws_session *session = client->session;
    int fault = r < 0 ? AWS_REASON_PROVIDER : aws_i_keys_wrong(keys, now), age;

    aws_i_lock(client);
    session->refreshing = NULL;
    if (!fault) {
        session->keys = *keys;
        session->generation++;
    } else {
        session->retry_after = (aws_i_ticks(client) + 60000) | 1; /* 0: none */
    }
    age = aws_i_keys_age(session, now);
    aws_i_unlock(client);
    if (fault && age == AWS_I_KEYS_MUST) {
        aws_i_fail(client, fault, NULL); /* unless the provider said more */
        return client->failure.code;
    }
    client->failure.code = 0;
    return AWS_I_OPEN;
}

/* Another client asks for keys, or signs with the old ones. If it is never called again nor closed,
 * that must not be for ever. */
static int aws_i_await_keys(aws_client *client)
{
    if (aws_i_ticks(client) - client->progressed >= aws_i_config(client)->connect_timeout)
        return aws_i_fail(client, AWS_REASON_PROVIDER_TIME, NULL);
    return aws_i_sleep(client, 50);
}

/* One client asks for new keys, while none signs; the others wait, if they must have them. */
static int aws_i_renew_keys(aws_client *client)
{
    aws_session *session = client->session;
    const aws_provider *provider = session->config.provider;
    int64_t now = aws_i_now(client);
    int mine, others, due, r;
    aws_keys keys;

    aws_i_lock(client);
    mine = session->refreshing == client;
    others = (session->refreshing && !mine) || session->users;
    if ((int32_t)(session->retry_after - aws_i_ticks(client)) <= 0)
        session->retry_after = 0;
    due = aws_i_keys_age(session, now) <
          (others || session->retry_after ? AWS_I_KEYS_SHOULD : AWS_I_KEYS_GOOD);
    if (due && !others) {
        session->refreshing = client;
        mine = 1;
    }
    aws_i_unlock(client);
    if (!mine)
        return due ? aws_i_await_keys(client) : AWS_I_OPEN;
    memset(&keys, 0, sizeof keys);
    client->waits = 0;
    r = provider->get(provider, client, &keys);
    if (r != AWS_AGAIN)
        return aws_i_keys_take(client, r, &keys, now);
    return client->waits ? r : aws_i_sleep(client, 10); /* a source of ours knows what it awaits */
}

/* While a head that has the keys in it is made, nobody may replace them: 1, AWS_AGAIN or an
 * error. */
static int aws_i_take_keys(aws_client *client)
{
    aws_session *session = client->session;
    int free_to_use;

    if (client->uses_keys)
        return 1;
    aws_i_lock(client);
    free_to_use = !session->refreshing;
    if (free_to_use)
        session->users++;
    aws_i_unlock(client);
    client->uses_keys = (unsigned char)free_to_use;
    if (free_to_use)
        return 1;
    return client->state == AWS_I_SIGN ? aws_i_await_keys(client) : aws_i_sleep(client, 50);
}

static int aws_i_leave_keys(aws_client *client)
{
    aws_session *session = client->session;

    aws_i_lock(client);
    if (client->uses_keys)
        session->users--;
    if (session->refreshing == client)
        session->refreshing = NULL;
    aws_i_unlock(client);
    client->uses_keys = 0;
    return 0;
}

/* An answer may say that they have expired: 1, and the next ones are asked for. */
static int aws_i_keys_refused(aws_client *client)
{
    aws_session *session = client->session;

    if (!aws_i_within(client->failure.aws_code, "Expired") || client->tried & AWS_I_TOKEN)
        return 0;
    client->tried |= AWS_I_TOKEN;
    aws_i_lock(client);
    if (client->key_generation == session->generation)
        session->keys.expiration = 1; /* long ago */
    aws_i_unlock(client);
    return 1;
}

enum { AWS_I_KEYS_ASK, AWS_I_KEYS_TAKE, AWS_I_KEYS_LEAVE, AWS_I_KEYS_REFUSED };

AWS_API int aws_feature_refresh(aws_client *client, int step)
{
    static int (*const steps[])(aws_client *) = {
        aws_i_renew_keys, aws_i_take_keys, aws_i_leave_keys, aws_i_keys_refused};

    return steps[step](client);
}

/* Keys that come from a provider; 1 if they don't. */
static int aws_i_provided(aws_client *client, int step)
{
    return client->session->provided ? aws_i_features(client)->refresh(client, step) : 1;
}

static int aws_i_step_keys(aws_client *client)
{
    int r;

    if (!aws_i_now(client) && !aws_i_clock(client, AWS_I_CLOCK_ASK) &&
        !(client->anonymous && !client->endpoint_secure))
        return aws_i_fail(client, -AWS_ERR_CLOCK, NULL);
    r = aws_i_provided(client, AWS_I_KEYS_ASK);
    return r == 1 ? AWS_I_OPEN : r;
}

static int aws_i_hold_keys(aws_client *client)
{
    return aws_i_provided(client, AWS_I_KEYS_TAKE);
}

static void aws_i_release_keys(aws_client *client)
{
    aws_i_provided(client, AWS_I_KEYS_LEAVE);
}

/* ---- Connect, sign, send ---- */

static int aws_i_step_open(aws_client *client)
{
    aws_i_connection *n = &client->connection;
    int r;

    if ((n->doomed || n->state >= AWS_I_C_NOTIFY ||
         (n->state == AWS_I_C_OPEN && aws_i_leftover(client))) && /* nobody asked for that */
        (r = aws_i_close(client)) < 0)
        return r;
    if (n->state != AWS_I_C_OPEN && (r = aws_i_open(client)) < 0) {
#ifndef AWS_NO_TLS
        if (r != AWS_AGAIN && client->not_before && aws_i_clock(client, AWS_I_CLOCK_CERTIFICATE))
            return AWS_I_GO;
#endif
        return r;
    }
    n->answered = 0;
    client->inflight = 1;
    client->offset = 0;
    if (!aws_i_in_ranges(client))
        client->stored = 0;
    aws_i_http_init(&client->http);
    return client->probing ? AWS_I_HEAD : AWS_I_SIGN;
}

/* The day of the signing key that is kept, with the keys' generation. */
static void aws_i_cache_signing_key(aws_client *client, const aws_i_view *view)
{
    uint32_t day = (uint32_t)client->time / 86400;

    if (client->key_day != day || client->key_generation != client->session->generation) {
        aws_i_signing_key(view, (aws_i_key_states *)client->signing_key);
        client->key_day = day;
        client->key_generation = client->session->generation;
    }
}

/* Directory buckets have keys of their own: see aws_s3_express_init. */
static AWS_I_APART int aws_i_express(aws_client *client, aws_client *lender)
{
    return client->express ? client->express->use(client, lender) : 0;
}

static int aws_i_step_sign(aws_client *client)
{
    aws_i_view view;
    int r;

    if ((r = aws_i_hold_keys(client)) < 0)
        return r;
    if (!client->anonymous && (r = aws_i_express(client, client)) != 0)
        return r;
    if ((r = aws_i_bounded(client, AWS_I_B_PLAN, 0)) < 0)
        return r;
    client->time = aws_i_now(client);
    aws_date_text(client->time, client->date);
    client->signed_at = aws_i_ticks(client);
    if (!client->anonymous) {
        aws_i_view_of(&view, client);
        aws_i_cache_signing_key(client, &view);
        aws_i_signature(&view, (const aws_i_key_states *)client->signing_key, client->signature);
    }
    if ((r = aws_i_bodies(client, AWS_I_BODY_BEGIN)) < 0)
        return r;
    aws_i_hook(client, AWS_HOOK_SEND);
    return AWS_I_HEAD;
}

/* While sending: the server may have answered already (and closed), which is the answer. */
static int aws_i_early(aws_client *client, int r)
{
    const unsigned char *data;
    unsigned waits = client->waits;
    unsigned char interim;

    if (r == AWS_AGAIN ? client->port->flags & AWS_PORT_BLOCKING : r != AWS_ERR_CLOSED)
        return r;
    if (aws_i_is_secure(&client->connection) && !aws_i_leftover(client))
        return r;
    if (aws_i_peek(client, &data) <= 0) {
        client->waits = waits | (r == AWS_AGAIN ? (unsigned)AWS_WAIT_READ : 0);
        return r;
    }
    interim = client->http.interim; /* their limit is for the whole exchange */
    aws_i_failure_reset(client);
    aws_i_http_init(&client->http);
    client->http.interim = interim;
    client->early = client->state; /* to go back to after an interim answer */
    return aws_i_go(client, AWS_I_RESPONSE);
}

static int aws_i_step_head(aws_client *client)
{
    size_t at = (size_t)client->offset;
    aws_out out;

    do {
        unsigned char *to = NULL;
        int room = aws_i_space(client, &to);

        if (room <= 0)
            return aws_i_early(client, room);
        aws_i_out(&out, to, (size_t)room);
        out.skip = at;
        if (client->probing)
            client->probe->out(&out, client);
        else
            aws_i_out_head(&out, client);
        aws_i_commit(client, out.used);
        client->offset = at += out.used;
    } while (at != out.length);
    client->offset = 0;
    client->early = 0;
    aws_i_release_keys(client);
    return AWS_I_BODY;
}

static void aws_i_progress(aws_client *client, uint64_t done, uint64_t total)
{
    if (client->call.progress)
        client->call.progress(client->call.progress_context, done, total);
}

/* The caller's bytes into the connection: the count taken, AWS_AGAIN or an error. */
static int aws_i_push_body(aws_client *client, const unsigned char *data, size_t size)
{
    unsigned char *to = NULL;
    int room;

    if (!client->chunked)
        return aws_i_push(client, data, size);
    if ((room = client->chunked->space(client, &to)) <= 0)
        return room;
    size = aws_i_min(size, (size_t)room);
    memcpy(to, data, size);
    client->chunked->commit(client, to, size);
    return (int)size;
}

/* The body, if there is one, then all that is on its way. */
static int aws_i_step_body(aws_client *client)
{
    int r;

    if (!client->probing) {
        size_t at, left;

        if ((r = aws_i_bodies(client, AWS_I_BODY_SEND)) < 0)
            return r;
        /* What is in memory has no more bytes than a size_t says. */
        while (at = (size_t)client->offset, left = (size_t)client->size - at, left) {
            if ((r = aws_i_push(client, aws_i_bytes(client->call.data) + at, left)) < 0)
                return aws_i_early(client, r);
            client->offset = at + (size_t)r;
            aws_i_progress(client, client->offset, client->size);
        }
    }
    if ((r = aws_i_flush(client)) <= 0)
        return aws_i_early(client, r);
    aws_i_http_init(&client->http);
    if (client->port->flags & AWS_PORT_BLOCKING || aws_i_leftover(client))
        return AWS_I_RESPONSE;
    client->state = AWS_I_RESPONSE;
    return aws_i_want(client, AWS_WAIT_READ); /* nothing can have come yet: wait, then receive */
}

/* In AWS_I_WRITE and AWS_I_STREAM the caller moves the body. */
static int aws_i_step_caller(aws_client *client)
{
    (void)client;
    return 0;
}

/* ---- Bodies that aren't in memory, and large ones ---- */

/* Announced, a refusal costs no upload, and a body that can't be sent twice is still whole. */
static int aws_i_plan_source(aws_client *client)
{
    const uint32_t large = (uint32_t)1 << 20;
    const aws_call *call = &client->call;

    client->connection.ahead_size += client->chunks.borrowed; /* a chunk's buffer: given back */
    client->chunks.borrowed = 0;
    client->one_pass = call->flags & AWS_CALL_WRITE || (call->source && !call->source->rewind);
    if (client->service->flags & AWS_SERVICE_S3 && !(client->port->flags & AWS_PORT_BLOCKING) &&
        client->size && (client->size >= large || client->one_pass))
        client->expect = "\r\nexpect: 100-continue";
    if (client->size && client->one_pass && !client->endpoint_secure && !client->anonymous &&
        !aws_i_features(client)->checksums)
        aws_call_refuse(client, AWS_REASON_NOT_REWINDABLE, NULL);
    return 0;
}

/* A piece of the body into what is made of it. */
static void aws_i_hash_piece(void *context, const void *data, size_t size)
{
    aws_client *client = (aws_client *)context;

    if (!client->payload_text)
        aws_i_sha256_update((aws_i_sha256 *)client->hash, data, size);
    if (client->digest)
        client->digest->update(client->sum, data, size);
}

/* The next bytes of the source: their count, AWS_AGAIN or an error. */
static AWS_I_APART int aws_i_read_source(aws_client *client, unsigned char *to, size_t room)
{
    const aws_source *source = client->call.source;
    uint64_t left = client->size - client->offset;
    int r;

    room = aws_i_int_max(left < room ? (size_t)left : room);
    r = source->read(source->context, to, room);
    if (r == AWS_AGAIN)
        return aws_i_sleep(client, 10);
    if (r <= 0 || (size_t)r > room)
        return aws_i_fail(client, AWS_REASON_SOURCE_SHORT, NULL);
    return r;
}

/* A source's bytes into its hashes, through the scratch: 0, AWS_AGAIN or an error. One pass for
 * both. */
static int aws_i_hash_source(aws_client *client)
{
    const aws_source *source = client->call.source;
    int r;

    if (client->chunked || (client->payload_text && !client->digest))
        return 0;
    if (client->one_pass && client->size)
        return aws_i_fail(client, AWS_REASON_NOT_REWINDABLE, NULL);
    if (!source)
        return 0;
    if (!client->offset && client->size && source->rewind(source->context) < 0)
        return aws_i_fail(client, AWS_REASON_SOURCE_REWIND, NULL);
    while (client->offset < client->size) {
        if ((r = aws_i_read_source(client, client->scratch, client->scratch_size)) < 0)
            return r;
        aws_i_hash_piece(client, client->scratch, (size_t)r);
        client->offset += (size_t)r;
    }
    return 0;
}

/* A body that can't be sent again doesn't go to a peer that has left. */
static int aws_i_may_reuse(aws_client *client)
{
    const unsigned char *data;

    return !client->connection.used || !client->one_pass ||
           (!(client->port->flags & AWS_PORT_BLOCKING) &&
            aws_i_peek(client, &data) == AWS_AGAIN);
}

/* Begin the body at its first byte; 0, or it can't be read again. */
static int aws_i_begin_source(aws_client *client)
{
    const aws_source *source = client->call.source;

    if (!aws_i_may_reuse(client)) {
        client->connection.doomed = 1;
        return aws_i_go(client, AWS_I_OPEN);
    }
    client->expected = 0;
    if (source && source->rewind && source->rewind(source->context) < 0)
        return aws_i_fail(client, AWS_REASON_SOURCE_REWIND, NULL);
    if (client->chunked)
        client->chunked->begin(client);
    return 0;
}

/* The server has a second to refuse the body, or to say that it wants it; 0: it is sent. */
static int aws_i_expect(aws_client *client)
{
    enum { PATIENCE = 1000 };
    const unsigned char *data;
    int r = aws_i_flush(client);

    if (r <= 0)
        return aws_i_early(client, r);
    client->expected = client->http.interim != 0;
    if (client->expected)
        return 0;
    if (aws_i_peek(client, &data) != AWS_AGAIN) {
        client->early = AWS_I_BODY;
        return aws_i_go(client, AWS_I_RESPONSE);
    }
    client->expected = aws_i_ticks(client) - client->progressed >= PATIENCE;
    if (client->expected)
        return 0;
    client->wake = client->progressed + PATIENCE;
    return aws_i_want(client, AWS_WAIT_READ | AWS_WAIT_TIMER);
}

/* Room for body bytes: its size, AWS_AGAIN or an error. */
static int aws_i_body_space(aws_client *client, unsigned char **to)
{
    return client->chunked ? client->chunked->space(client, to) : aws_i_space(client, to);
}

static void aws_i_body_commit(aws_client *client, const unsigned char *data, size_t size)
{
    if (client->chunked)
        client->chunked->commit(client, data, size);
    else
        aws_i_commit(client, size);
}

/* A source's bytes, straight into the connection: the count, AWS_AGAIN or an error. */
static int aws_i_fill_source(aws_client *client)
{
    unsigned char *to = NULL;
    int r = aws_i_body_space(client, &to);

    if (r <= 0)
        return r;
    r = aws_i_read_source(client, to, (size_t)r);
    if (r > 0)
        aws_i_body_commit(client, to, (size_t)r);
    else if (r != AWS_AGAIN)
        client->connection.doomed = 1;
    return r;
}

/* The body of a source or of the caller's: what comes next, AWS_AGAIN or an error. */
static int aws_i_send_source(aws_client *client)
{
    const aws_call *call = &client->call;
    int r;

    if (client->expect && !client->expected && (r = aws_i_expect(client)) != 0)
        return r;
    if (call->flags & AWS_CALL_WRITE && (!client->body_begun || client->offset < client->size)) {
        client->body_begun = 1;
        return aws_i_go(client, AWS_I_WRITE);
    }
    client->body_begun = client->one_pass;
    if (!call->source && !client->chunked)
        return 0;
    while (client->offset < client->size) {
        if ((r = aws_i_fill_source(client)) < 0)
            return aws_i_early(client, r);
        client->offset += (size_t)r;
        aws_i_progress(client, client->offset, client->size);
    }
    if (client->chunked && (r = client->chunked->end(client)) <= 0)
        return aws_i_early(client, r);
    return 0;
}

/* 417: the server doesn't know Expect. */
static int aws_i_unannounced(aws_client *client)
{
    if (!client->expect || client->failure.http_status != 417)
        return 0;
    client->expect = NULL;
    return 1;
}

AWS_API int aws_feature_bodies(aws_client *client, int step)
{
    static int (*const steps[])(aws_client *) = {aws_i_plan_source, aws_i_hash_source,
                                                 aws_i_begin_source, aws_i_send_source,
                                                 aws_i_unannounced};

    return steps[step](client);
}

/* ---- Bodies that are emitted ---- */

static int aws_i_send_emitted(aws_client *client)
{
    unsigned char *to = NULL;
    aws_out out;
    int room;

    while (client->offset < client->size) {
        if ((room = aws_i_space(client, &to)) <= 0)
            return aws_i_early(client, room);
        aws_i_out(&out, to, (size_t)room);
        out.skip = (size_t)client->offset;
        client->call.emitter(&out, &client->call);
        aws_i_commit(client, out.used);
        client->offset += out.used;
        aws_i_progress(client, client->offset, client->size);
    }
    return 0;
}

static int aws_i_emitted(aws_client *client, int step)
{
    aws_out out;

    if (step == AWS_I_BODY_SEND)
        return aws_i_send_emitted(client);
    if (step > AWS_I_BODY_HASH)
        return 0;
    aws_i_out(&out, NULL, 0);
    out.hash = step == AWS_I_BODY_HASH ? aws_i_hash_piece : NULL;
    out.hash_context = client;
    client->call.emitter(&out, &client->call);
    client->size = out.length;
    client->call.flags |= AWS_CALL_SIGN_BODY; /* over https, too */
    return 0;
}

AWS_API void aws_call_emit(aws_call *call, void (*emitter)(aws_out *out, const aws_call *call))
{
    call->emitter = emitter;
    call->emitted = aws_i_emitted;
}

/* ---- Bodies in chunks (aws-chunked) ---- */

enum { AWS_I_CHUNK_MOST = 15 };

/* A chunk's head, or with size 0 all that ends the body, trailer included: a pure function of the
 * chunk's signature and, at the end, the checksum. */
static void aws_i_out_frame(aws_out *out, const aws_client *client, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    int shift = 28;

    aws_out_text(out, client->chunks.begun ? aws_i_text_crlf : "");
    while (shift && !((uint32_t)size >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        aws_out_bytes(out, digits + ((uint32_t)size >> shift & 15), 1);
    if (client->chunks.is_signed) {
        aws_out_text(out, ";chunk-signature=");
        aws_i_out_hex(out, client->signature, 32);
    }
    aws_out_text(out, aws_i_text_crlf);
    if (size)
        return;
    if (client->digest) {
        aws_out_text(out, client->digest->header);
        aws_out_text(out, ":");
        aws_i_out_base64(out, client->checksum, client->digest->size);
        aws_out_text(out, aws_i_text_crlf);
        if (client->chunks.is_signed) {
            aws_out_text(out, "x-amz-trailer-signature:");
            aws_i_out_hex(out, client->payload, 32);
            aws_out_text(out, aws_i_text_crlf);
        }
    }
    aws_out_text(out, aws_i_text_crlf);
}

static size_t aws_i_chunk_size(const aws_client *client, uint64_t left)
{
    const uint32_t most = (uint32_t)1 << client->chunks.shift;

    return left < most ? (size_t)left : (size_t)most;
}

/* Bytes of a chunk with its head and what ends it. */
static uint64_t aws_i_framed(const aws_client *client, size_t size)
{
    aws_out out;

    aws_i_out(&out, NULL, 0);
    aws_i_out_frame(&out, client, size);
    return out.length + size + (size ? 2u : 0u);
}

/* A signed chunk is held while it is signed: in the read-ahead buffer, which keeps a rest. The
 * largest chunk of 8 KiB to 32 KiB that fits; a smaller one only if it is the only one. */
static void aws_i_plan_chunk_buffer(aws_client *client)
{
    enum { REST = 256, LEAST = 13 };
    aws_i_connection *n = &client->connection;
    aws_i_chunks *c = &client->chunks;
    size_t room = n->ahead_size - REST;

    while (c->shift > LEAST && ((size_t)1 << c->shift) > room)
        c->shift--;
    c->borrowed = aws_i_chunk_size(client, client->size);
    if (c->borrowed > room) {
        aws_call_refuse(client, AWS_REASON_CHUNK_MEMORY, NULL);
        client->failure.needed = client->memory_size + (c->borrowed - room) / 7 * 16 + 64;
        c->borrowed = 0;
    }
    n->ahead_size -= c->borrowed;
}

static void aws_i_chunked_plan(aws_client *client)
{
    aws_i_chunks *c = &client->chunks;
    size_t rest;
    aws_i_item *item;

    memset(c, 0, sizeof *c);
    c->is_signed = !client->endpoint_secure;
    c->shift = AWS_I_CHUNK_MOST;
    if (c->is_signed)
        aws_i_plan_chunk_buffer(client);
    client->payload_text = !c->is_signed    ? "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                           : client->digest ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
                                            : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    rest = (size_t)client->size & (((size_t)1 << c->shift) - 1);
    client->encoded = (client->size >> c->shift) * aws_i_framed(client, (size_t)1 << c->shift) +
                      (rest ? aws_i_framed(client, rest) : 0) + aws_i_framed(client, 0);
    for (item = client->items + client->query_count; item < client->items + client->item_count;
         item++)
        if (item->length && aws_i_equal_nocase(item->name, "content-encoding"))
            break;
    client->given = aws_i_out_given;
    if (item < client->items + client->item_count)
        item->kind = AWS_I_HEADER_CHUNKED;
    else
        aws_call_header(client, NULL, "content-encoding", "aws-chunked");
    aws_i_add(client, "", "x-amz-decoded-content-length", "", 0, AWS_I_HEADER_CHUNKED);
    if (client->digest)
        aws_call_header(client, NULL, "x-amz-trailer", client->digest->header);
}

/* The caller's Content-Encoding and ours, or the size of the body before it. */
static void aws_i_chunked_value(aws_out *out, const aws_client *client, const aws_i_item *item)
{
    if (item->length) {
        aws_i_out_trimmed(out, item->value, item->length, 1);
        aws_out_text(out, ",aws-chunked");
    } else {
        aws_out_number(out, client->size);
    }
}

static void aws_i_chunked_begin(aws_client *client)
{
    aws_i_chunks *c = &client->chunks;

    c->begun = c->sealed = c->ended = 0;
    c->left = c->held = c->sent = c->frame_at = 0;
    if (client->digest)
        client->digest->init(client->sum);
}

/* Each chunk's signature goes over the one before it; the trailer's over the last chunk's. A
 * chunk's has the hash of nothing in it, too. */
static void aws_i_sign_chunk(const aws_client *client, const char *kind, const char *nothing,
                             const unsigned char hash[32], unsigned char signature[32])
{
    const aws_i_key_states *key = (const aws_i_key_states *)client->signing_key;
    aws_i_sha256 sha = key->inner;
    aws_i_view view;
    aws_out out;

    aws_i_view_of(&view, client);
    aws_i_out(&out, NULL, 0);
    out.hash = aws_i_hash_sha256;
    out.hash_context = &sha;
    aws_out_text(&out, kind);
    aws_i_out_form(&out, &view, AWS_I_F_DATE "\n" AWS_I_F_SCOPE "\n" AWS_I_F_DIGEST "\n");
    aws_out_text(&out, nothing);
    aws_out_text(&out, *nothing ? "\n" : "");
    aws_i_out_hex(&out, hash, 32);
    aws_i_key_final(key, &sha, signature);
}

/* Sign the chunk in the buffer, which the next one's signature is made from. */
static void aws_i_seal_chunk(aws_client *client, const unsigned char *data, size_t size)
{
    aws_i_sha256 sha;
    unsigned char hash[32];

    aws_i_sha256_init(&sha);
    aws_i_sha256_update(&sha, data, size);
    aws_i_sha256_final(&sha, hash);
    aws_i_sign_chunk(client, "AWS4-HMAC-SHA256-PAYLOAD\n", aws_i_empty_sha256, hash,
                     client->signature);
}

static void aws_i_seal_trailer(aws_client *client)
{
    aws_i_sha256 sha;
    aws_out out;
    unsigned char hash[32];

    aws_i_sha256_init(&sha);
    aws_i_out(&out, NULL, 0);
    out.hash = aws_i_hash_sha256;
    out.hash_context = &sha;
    aws_out_text(&out, client->digest->header);
    aws_out_text(&out, ":");
    aws_i_out_base64(&out, client->checksum, client->digest->size);
    aws_out_text(&out, "\n");
    aws_i_sha256_final(&sha, hash);
    aws_i_sign_chunk(client, "AWS4-HMAC-SHA256-TRAILER\n", "", hash, client->payload);
}

/* Send a chunk's head: 1 when all of it is on its way, AWS_AGAIN or an error. */
static int aws_i_send_frame(aws_client *client, size_t size)
{
    aws_i_chunks *c = &client->chunks;
    unsigned char *to = NULL;
    aws_out out;
    int r;

    do {
        if ((r = aws_i_space(client, &to)) <= 0)
            return r;
        aws_i_out(&out, to, (size_t)r);
        out.skip = c->frame_at;
        aws_i_out_frame(&out, client, size);
        aws_i_commit(client, out.used);
        c->frame_at += out.used;
    } while (c->frame_at < out.length);
    c->frame_at = 0;
    c->begun = 1;
    return 1;
}

static unsigned char *aws_i_chunk_buffer(const aws_client *client)
{
    return client->connection.ahead + client->connection.ahead_size;
}

/* Send the chunk in the buffer if it is signed: 1, AWS_AGAIN or an error. */
static int aws_i_send_chunk(aws_client *client)
{
    aws_i_chunks *c = &client->chunks;
    int r;

    if (c->sealed == 1) {
        if ((r = aws_i_send_frame(client, c->held)) <= 0)
            return r;
        c->sealed = 2;
    }
    while (c->sealed && c->sent < c->held) {
        if ((r = aws_i_push(client, aws_i_chunk_buffer(client) + c->sent, c->held - c->sent)) <= 0)
            return r;
        c->sent += (size_t)r;
    }
    if (c->sealed)
        c->held = c->sent = c->sealed = 0;
    return 1;
}

static int aws_i_chunked_space(aws_client *client, unsigned char **to)
{
    aws_i_chunks *c = &client->chunks;
    uint64_t left = client->size - client->offset;
    size_t size;
    int r;

    if (c->is_signed) {
        if ((r = aws_i_send_chunk(client)) <= 0)
            return r;
        *to = aws_i_chunk_buffer(client) + c->held;
        size = aws_i_chunk_size(client, left + c->held) - c->held;
        return (int)aws_i_int_max(size);
    }
    if (!c->left) {
        if ((r = aws_i_send_frame(client, aws_i_chunk_size(client, left))) <= 0)
            return r;
        c->left = aws_i_chunk_size(client, left);
    }
    r = aws_i_space(client, to);
    return r > 0 && (size_t)r > c->left ? (int)c->left : r;
}

static void aws_i_chunked_commit(aws_client *client, const unsigned char *data, size_t size)
{
    aws_i_chunks *c = &client->chunks;
    size_t whole;

    if (client->digest)
        client->digest->update(client->sum, data, size);
    if (!c->is_signed) {
        c->left -= size;
        aws_i_commit(client, size);
        return;
    }
    whole = aws_i_chunk_size(client, client->size - client->offset + c->held);
    c->held += size;
    if (c->held == whole) {
        aws_i_seal_chunk(client, aws_i_chunk_buffer(client), whole);
        c->sealed = 1;
    }
}

static int aws_i_chunked_end(aws_client *client)
{
    aws_i_chunks *c = &client->chunks;
    int r;

    if (!c->ended) {
        if ((r = aws_i_send_chunk(client)) <= 0)
            return r;
        c->ended = 1;
        if (client->digest)
            client->digest->out(client->sum, client->checksum);
        if (c->is_signed)
            aws_i_seal_chunk(client, NULL, 0);
        if (c->is_signed && client->digest)
            aws_i_seal_trailer(client);
    }
    if (c->ended == 1) {
        if ((r = aws_i_send_frame(client, 0)) <= 0)
            return r;
        c->ended = 2;
    }
    return 1;
}

AWS_I_CONST aws_i_chunked aws_chunked_bodies = {aws_i_chunked_plan,   aws_i_chunked_begin,
                                                aws_i_chunked_space,  aws_i_chunked_commit,
                                                aws_i_chunked_end,    aws_i_chunked_value};

/* ---- Dialects ---- */

/* In the order of their speed. */
static const aws_digest *const aws_i_digests[] = {&aws_crc64nvme, &aws_crc32, &aws_crc32c,
                                                  &aws_sha1, &aws_sha256, NULL};
#define AWS_I_FORMS (AWS_FORM_TRAILER | AWS_FORM_SIGNED_CHUNKS | AWS_FORM_SIGNED_TRAILER)
AWS_I_CONST aws_dialect aws_dialect_aws = {&aws_crc32, &aws_crc32, aws_i_digests,
                                           &aws_chunked_bodies, AWS_I_FORMS};
AWS_I_CONST aws_dialect aws_dialect_minio = {&aws_crc32, &aws_crc32, aws_i_digests,
                                             &aws_chunked_bodies, AWS_I_FORMS};
/* wants Content-MD5 where something is required, and doesn't know the ETag of what was uploaded in
 * parts when that is copied */
AWS_I_CONST aws_dialect aws_dialect_swift = {&aws_crc32, &aws_content_md5, aws_i_digests,
                                             &aws_chunked_bodies,
                                             AWS_I_FORMS | AWS_FORM_COPY_LOOKS};
/* its older releases refuse trailers, and don't look at checksums but MD5 */
AWS_I_CONST aws_dialect aws_dialect_ceph = {&aws_crc32, &aws_content_md5, aws_i_digests,
                                            &aws_chunked_bodies, AWS_FORM_SIGNED_CHUNKS};
/* these refuse headers x-amz-checksum-..., or chunks, or don't say that they take them */
AWS_I_CONST aws_dialect aws_dialect_r2 = {NULL, &aws_content_md5, NULL, NULL, 0};
AWS_I_CONST aws_dialect aws_dialect_b2 = {NULL, &aws_content_md5, NULL, NULL, 0};
AWS_I_CONST aws_dialect aws_dialect_gcs = {NULL, &aws_content_md5, NULL, NULL, 0};

#ifdef AWS_SMALL_CRC
static const aws_digest *const aws_i_one_digest[] = {&aws_crc32, NULL};
static const aws_dialect aws_i_dialect = {&aws_crc32, &aws_crc32, aws_i_one_digest, NULL, 0};
#else
#define aws_i_dialect aws_dialect_aws
#endif

/* Only the feature of checksums speaks of it: without the feature the default isn't there. */
static const aws_dialect *aws_i_dialect_of(const aws_client *client)
{
    const aws_dialect *dialect = aws_i_config(client)->dialect;

    return dialect ? dialect : &aws_i_dialect;
}

/* ---- Receive ---- */

/* The bytes of the arena that hold complete headers, or of the text that a bounded answer's head
 * was kept in. */
static size_t aws_i_head_size(const aws_client *client)
{
    const aws_i_http *http = &client->http;

    if (!client->scratch) /* the client is closed */
        return 0;
#ifndef AWS_NO_TLS
    if (client->kept)
        return client->kept;
#endif
    return http->state < AWS_I_H_BODY || client->xml_open ? http->name : http->used;
}

static const char *aws_i_kept_head(const aws_client *client)
{
#ifndef AWS_NO_TLS
    if (client->kept)
        return client->text;
#endif
    return aws_i_head_of(client);
}

AWS_API int aws_client_header_at(const aws_client *client, unsigned index, aws_pair *header)
{
    size_t size = aws_i_head_size(client);

    return size && aws_i_http_at(aws_i_kept_head(client), size, index, header);
}

AWS_API const char *aws_client_header(const aws_client *client, const char *name)
{
    size_t size = aws_i_head_size(client);
    const char *at, *end, *value;

    if (!size)
        return NULL;
    at = aws_i_kept_head(client);
    for (end = at + size; at != end; at = value + strlen(value) + 1) {
        value = at + strlen(at) + 1;
        if (aws_i_equal_nocase(at, name))
            return value;
    }
    return NULL;
}

AWS_API uint64_t aws_client_received(const aws_client *client)
{
    return client->stored;
}

AWS_API int aws_client_status(const aws_client *client)
{
    return client->http.status;
}

/* The answer to a HEAD that says "chunked" may end like one with a body, which Swift's and Ceph
 * 16's do, perhaps late: this, backwards. Amazon's to a HEAD that fails say so too and don't, so
 * the connection is kept. */
static const char aws_i_last_chunk[] = "\n\r\n\r0";

/* The head is there: what now? */
static int aws_i_answered(aws_client *client)
{
    aws_i_http *http = &client->http;
    int head = (int)http->total, status = http->status, r;

    if (aws_i_http_begin_body(http, client->probing || client->call.method[0] == 'H') < 0)
        return aws_i_fail(client, AWS_REASON_NO_LENGTH, NULL);
    client->connection.doomed |= http->close | client->early;
    client->connection.used = 1;
    if (http->chunked && http->state == AWS_I_H_DONE)
        client->connection.last = sizeof aws_i_last_chunk - 1;
    client->failure.http_status = status;
    aws_xml_init(aws_i_xml_of(client));
    client->xml_open = 0;
    client->drained = 0;
    aws_i_log(client, AWS_I_L_ANSWER);
    aws_i_checksums(client, AWS_I_SUM_EXPECT);
    if (client->probing)
        return client->probe->done(client);
    if ((r = aws_i_bounded(client, AWS_I_B_ANSWERED, head)) != 0)
        return r;
    aws_i_hook(client, AWS_HOOK_ANSWER);
    if (status >= 300)
        return AWS_I_ERROR;
    if (client->early)
        return aws_i_fail(client, AWS_REASON_EARLY, NULL);
    return client->call.flags & AWS_CALL_READ ? AWS_I_STREAM : AWS_I_ANSWER;
}

static int aws_i_step_response(aws_client *client)
{
    aws_i_http *http = &client->http;
    aws_i_connection *n = &client->connection;
    const unsigned char *data;
    size_t size;
    int r;

    do {
        r = aws_i_come(client, &data, n->answered ? AWS_REASON_HEAD_CUT : AWS_REASON_UNANSWERED);
        if (r < 0)
            return r;
        size = (size_t)r;
        r = 0;
        if (n->last && *data == aws_i_last_chunk[n->last - 1]) {
            n->last--;
            size = 1;
        } else if (n->last && n->last < sizeof aws_i_last_chunk - 1) { /* in the middle of it */
            r = AWS_ERR_PROTOCOL;
        } else {
            n->last = 0;
            n->answered = 1;
            r = aws_i_http_head(http, aws_i_head_of(client), aws_i_head_room(client), data, &size);
        }
        aws_i_consume(client, size);
        if (!r && client->early && http->state == AWS_I_H_HEAD) {
            r = client->early; /* an interim answer: go on sending */
            client->early = 0;
            return r;
        }
    } while (!r);
    if (r < 0)
        return aws_i_fail(client, r == AWS_ERR_TOO_BIG ? AWS_REASON_HEAD_SIZE : AWS_REASON_HEAD,
                          NULL);
    return aws_i_answered(client);
}

static int aws_i_is_error_root(const aws_xml *xml, int event)
{
    return event == AWS_XML_START && xml->depth == 1 && aws_i_equal(xml->path, "Error");
}

static AWS_I_APART int aws_i_xml_failed(aws_client *client)
{
    return aws_i_fail(client, AWS_REASON_XML, NULL);
}

/* Take a piece of an XML answer that is handed over raw, as far as it isn't an <Error>, or its end:
 * 0, AWS_I_ERROR or an error. */
static int aws_i_check_xml(aws_client *client, const unsigned char *data, size_t size)
{
    aws_xml *xml = aws_i_xml_of(client);
    int r;

    if (!size)
        return aws_xml_complete(xml) ? 0 : aws_i_xml_failed(client);
    client->piece = xml->at = data;
    xml->end = data + size;
    do
        r = aws_i_xml_next(xml);
    while (r > 0 && !aws_i_is_error_root(xml, r));
    aws_i_settle(client);
    if (r > 0)
        return AWS_I_ERROR;
    return r == AWS_AGAIN ? 0 : aws_i_xml_failed(client);
}

AWS_API int aws_call_run_xml(aws_client *client)
{
    client->check = aws_i_check_xml;
    return aws_call_run(client);
}

/* The bytes that the answer will have, 0: it isn't known. */
static uint64_t aws_i_answer_size(const aws_client *client)
{
    return client->http.has_length ? client->stored + client->http.length : 0;
}

/* Hand a piece over to buffer or sink: the count, AWS_AGAIN or an error. */
static int aws_i_store(aws_client *client, const unsigned char *data, size_t size)
{
    const aws_call *call = &client->call;
    size_t at = (size_t)client->stored; /* in the buffer */
    int r;

    if (call->sink) {
        r = call->sink->write(call->sink->context, data, size);
        if (r == AWS_AGAIN)
            return aws_i_sleep(client, 10);
        if ((size_t)r - 1 >= size) /* 0 and errors, too */
            return aws_i_fail(client, -AWS_ERR_SINK, NULL);
        return r;
    }
    if (call->buffer) {
        if (client->http.length > call->buffer_size - at) { /* of which this is the begin */
            uint64_t known = aws_i_answer_size(client);
            client->failure.needed = (size_t)(known < (size_t)-1 ? known : (size_t)-1);
            return aws_i_fail(client, AWS_REASON_BUFFER, NULL);
        }
        memcpy((unsigned char *)call->buffer + at, data, size);
    }
    return (int)size;
}

static void aws_i_answer_progress(aws_client *client)
{
    uint64_t total = aws_i_answer_size(client);

#ifndef AWS_NO_TLS
    if (aws_i_in_ranges(client))
        total = client->ranges->size;
#endif
    aws_i_progress(client, client->stored, total);
}

static int aws_i_step_answer(aws_client *client)
{
    const unsigned char *data;
    int r;

    while ((r = aws_i_body(client, &data)) > 0) {
        size_t stored;
        if ((r = aws_i_store(client, data, (size_t)r)) < 0)
            return r;
        stored = (size_t)r;
        client->stored += stored;
        if (!client->check)
            aws_i_body_take(client, data, stored);
        else if ((r = client->check(client, data, stored)) != 0)
            return r;
        aws_i_answer_progress(client);
    }
    if (r < 0 || (client->check && (r = client->check(client, NULL, 0)) != 0))
        return r;
    client->result = client->call.buffer ? (int)aws_i_int_max((size_t)client->stored) : 0;
    return AWS_I_WRAP;
}

/* ---- Errors of the service ---- */

/* What of an error document and of its answer's head goes to which field of the failure. */
#define AWS_I_FIELD(name) {offsetof(aws_failure, name), sizeof((aws_failure *)0)->name}
static const struct {
    unsigned short at, room;
} aws_i_error_fields[] = {AWS_I_FIELD(aws_code),   AWS_I_FIELD(message),    AWS_I_FIELD(value),
                          AWS_I_FIELD(expected),   AWS_I_FIELD(expected),   AWS_I_FIELD(request_id),
                          AWS_I_FIELD(host_id),    AWS_I_FIELD(request_id)};
#undef AWS_I_FIELD

/* The name of the innermost open element. */
static const char *aws_i_xml_open_name(const aws_xml *xml)
{
    return xml->path + xml->starts[xml->depth - 1];
}

AWS_API void aws_call_error_text(aws_client *client, const aws_xml *xml)
{
    static const char names[] = "Code\0Message\0Key\0Region\0ServerTime\0RequestId\0HostId\0"
                                "RequestID\0"; /* EC2's */
    enum { IDS = 5 }; /* from here on: they may lie outside of <Error> */
    const char *name = aws_i_xml_open_name(xml);
    int index;

    if (aws_i_config(client)->explain)
        aws_i_config(client)->explain(client, xml);
    index = aws_i_list_find(names, name);
    if (index < IDS && (xml->depth < 2 || name - xml->path - xml->starts[xml->depth - 2] != 6 ||
                        memcmp(name - 6, "Error", 5) != 0))
        index = -1;
    if (index >= 0)
        aws_i_append((char *)&client->failure + aws_i_error_fields[index].at,
                     aws_i_error_fields[index].room, xml->text, xml->text_size);
}

AWS_API const aws_service *aws_call_service(const aws_client *client)
{
    return client->service;
}

AWS_API unsigned *aws_call_counters(aws_client *client)
{
    return client->counters;
}

AWS_API int aws_call_failed(aws_client *client, int reason)
{
    client->failure.reason = reason;
    return client->failure.code = -(reason % 32);
}

AWS_API void aws_call_keep(aws_client *client, const aws_failure *failure)
{
    client->failure = *failure;
}

/* Complete the failure from the answer's head and the call. */
static void aws_i_explain(aws_client *client)
{
    enum { FIRST = 3, DATE = 4 }; /* of aws_i_error_fields */
    static const char names[] = "x-amz-bucket-region\0date\0x-amz-request-id\0x-amz-id-2\0";
    aws_failure *f = &client->failure;
    const char *name;
    unsigned i;

    if (!f->aws_code[0]) {
        aws_out out;
        aws_i_out(&out, f->aws_code, sizeof f->aws_code - 1);
        aws_out_number(&out, (uint64_t)client->http.status);
        f->aws_code[out.used] = 0;
    }
    for (name = names, i = FIRST; *name; name += strlen(name) + 1, i++) {
        char *to = (char *)f + aws_i_error_fields[i].at;
        const char *value = aws_client_header(client, name);
        if (value && (i > DATE || !*to) &&
            (i != DATE || aws_i_equal(f->aws_code, "RequestTimeTooSkewed")))
            aws_i_set(to, aws_i_error_fields[i].room, value);
    }
    if (f->http_status == 412 && client->tried & AWS_I_LOST && client->call.method[0] == 'P')
        f->reason = AWS_REASON_MAYBE_APPLIED;
    name = client->call.key && !aws_i_within(f->aws_code, aws_i_text_bucket) ? client->call.key
                                                                             : client->call.bucket;
    aws_i_set(f->value, sizeof f->value, name);
    if (aws_i_config(client)->explain)
        aws_i_config(client)->explain(client, NULL);
}

/* Read the error document as far as it is one; the status stands whatever it says. */
static int aws_i_step_error(aws_client *client)
{
    enum { LIMIT = 32768 };
    const aws_protocol *protocol = client->service->protocol;
    const unsigned char *data;
    size_t used;
    int r;

    while ((r = aws_i_body(client, &data)) > 0 && client->drained < LIMIT) {
        used = protocol->error(client, data, (size_t)r);
        aws_i_body_take(client, data, used);
        client->drained += (uint32_t)used;
    }
    if (r == AWS_AGAIN)
        return r;
    if (r != 0)
        client->connection.doomed = 1;
    client->failure.code = 0;
    aws_i_fail(client, -AWS_ERR_SERVICE, NULL);
    protocol->error(client, NULL, 0);
    aws_i_explain(client);
    return AWS_ERR_SERVICE;
}

/* ---- Protocols ---- */

/* The value of a pair by a name that needn't end with NUL; NULL if there is none. */
static const char *aws_i_pair_value(const aws_pair *pairs, size_t count, const char *name,
                                    size_t size)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (strlen(pairs[i].name) == size && memcmp(pairs[i].name, name, size) == 0)
            return pairs[i].value;
    return NULL;
}

/* The label at the '{' of a path template: its value, NULL if there is none. *rest is behind the
 * '}', *greedy whether it may contain '/'. */
static const char *aws_i_label(const aws_request *request, const char *at, const char **rest,
                               int *greedy)
{
    size_t size = strcspn(++at, "}");

    *rest = at + size + (at[size] != 0);
    *greedy = size && at[size - 1] == '+';
    return aws_i_pair_value(request->labels, request->label_count, at, size - (size_t)*greedy);
}

/* Segments that would be lost or climb when a server tidies up the path. */
static int aws_i_is_label_value(const char *value, int greedy)
{
    for (;;) {
        size_t size = greedy ? strcspn(value, "/") : strlen(value);
        if (!size || (size == 1 && *value == '.') || (size == 2 && !strncmp(value, "..", 2)))
            return 0;
        value += size;
        if (!*value++)
            return 1;
    }
}

/* The path from its template. What is signed is encoded once more, but for S3. */
static void aws_i_out_path(aws_out *out, const aws_call *call, int is_signed)
{
    const aws_request *request = (const aws_request *)call->emit_context;
    const char *at = request->path;
    int twice = is_signed && !(call->service->flags & AWS_SERVICE_S3), greedy;

    while (*at) {
        size_t size = strcspn(at, "{");
        const char *value;

        if (twice)
            aws_out_uri(out, at, size, "/");
        else
            aws_out_bytes(out, at, size);
        at += size;
        if (!*at)
            break;
        value = aws_i_label(request, at, &at, &greedy);
        if (value)
            aws_out_uri(out, value, strlen(value),
                        twice ? (greedy ? "25/" : "25") : (greedy ? "/" : ""));
    }
}

static void aws_i_check_path(aws_client *client, const aws_request *request)
{
    const char *at = request->path, *name;
    int greedy;

    if (*at != '/')
        aws_call_refuse(client, AWS_REASON_PATH, at);
    while (*(at += strcspn(at, "{"))) {
        const char *value = aws_i_label(request, name = at, &at, &greedy);
        if (!value || !aws_i_is_label_value(value, greedy))
            aws_call_refuse(client, AWS_REASON_LABEL, name);
    }
}

static void aws_i_out_form_pair(aws_out *out, const char *name, const char *value)
{
    if (!value)
        return;
    aws_out_text(out, "&");
    aws_out_uri(out, name, strlen(name), "");
    aws_out_text(out, "=");
    aws_out_uri(out, value, strlen(value), "");
}

static void aws_i_emit_form(aws_out *out, const aws_call *call)
{
    const aws_request *request = (const aws_request *)call->emit_context;
    size_t i;

    aws_out_text(out, "Action=");
    aws_out_text(out, call->operation);
    aws_i_out_form_pair(out, "Version", call->service->version);
    for (i = 0; i < request->form_count; i++)
        aws_i_out_form_pair(out, request->form[i].name, request->form[i].value);
    if (request->token)
        aws_i_out_form_pair(out, request->token_name, request->token);
}

/* Bytes of text without white space at its end. */
static size_t aws_i_trim(const char *text, size_t size)
{
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\n' || text[size - 1] == '\r' ||
                    text[size - 1] == '\t'))
        size--;
    return size;
}

/* A JSON body with the token as one member more. */
static void aws_i_emit_json(aws_out *out, const aws_call *call)
{
    const aws_request *request = (const aws_request *)call->emit_context;
    const char *body = request->body ? (const char *)request->body : "{}";
    size_t size = aws_i_trim(body, request->body ? (size_t)request->body_size : 2);

    size = aws_i_trim(body, size - (size && body[size - 1] == '}'));
    aws_out_bytes(out, body, size);
    aws_out_text(out, size && body[size - 1] == '{' ? "\"" : ",\"");
    aws_out_text(out, request->token_name);
    aws_out_text(out, "\":");
    aws_out_text(out, request->token);
    aws_out_text(out, "}");
}

static size_t aws_i_xml_error(aws_client *client, const unsigned char *data, size_t size)
{
    aws_xml *xml = aws_i_xml_of(client);
    size_t used = 0;
    int event = size ? aws_xml_step(xml, data, size, &used) : 0;

    if (event == AWS_XML_TEXT)
        aws_call_error_text(client, xml);
    return event < 0 && event != AWS_AGAIN ? size : used; /* not XML: passed over */
}

/* A JSON text token by token, without a check of what lies between: for documents that a service
 * has made, and of which one or two strings are wanted. */
typedef struct aws_i_json_scan {
    const char *text;
    size_t      size, at, from, to; /* text[from..to) is the string */
    int         depth;
} aws_i_json_scan;

/* The next token's first character, '"' for a whole string; 0 at the end, or in a cut string. */
static int aws_i_json_next(aws_i_json_scan *s)
{
    int c;

    do {
        if (s->at >= s->size)
            return 0;
        c = (unsigned char)s->text[s->at++];
    } while (c <= ' ');
    s->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (c == '"') {
        for (s->from = s->at; s->at < s->size && s->text[s->at] != '"'; s->at++)
            s->at += s->text[s->at] == '\\';
        s->to = aws_i_min(s->at++, s->size);
        if (s->at > s->size)
            return 0;
    }
    return c;
}

/* The string that an object's member says, decoded and cut to fit into field. Of the object as much
 * as there is; only its own members; a name's case doesn't matter. */
static void aws_i_json_top(const char *text, size_t size, const char *name, char *field,
                           size_t room)
{
    aws_i_json_scan s = {text, size, 0, 0, 0, 0};
    int c, named = 0, found = 0;
    size_t name_at;
    int32_t code;

    while (!found && (c = aws_i_json_next(&s)) != 0) {
        found = named && c == ':';
        named = c == '"' && s.depth == 1 && s.to - s.from == strlen(name);
        while (named && s.from < s.to) {
            named = aws_i_lower((unsigned char)text[s.from]) ==
                    name[strlen(name) - (s.to - s.from)];
            s.from++;
        }
    }
    name_at = s.from;
    (void)aws_i_json_next(&s); /* which may be cut */
    if (!found || s.from == name_at)
        return;
    field[0] = 0;
    while (s.from < s.to && (code = aws_i_json_char(text, s.to, &s.from)) >= 0) {
        unsigned char bytes[4];
        aws_i_append(field, room, (const char *)bytes, aws_i_utf8(code, bytes));
    }
}

/* "prefix#Code:address" and "Code;Sender" without what isn't the code. */
static void aws_i_set_code(aws_failure *f, char *text)
{
    char *hash;

    text[strcspn(text, ":;")] = 0;
    hash = strrchr(text, '#');
    aws_i_set(f->aws_code, sizeof f->aws_code, hash ? hash + 1 : text);
}

/* The body is collected behind the answer's head as far as there is room. */
static size_t aws_i_json_error(aws_client *client, const unsigned char *data, size_t size)
{
    aws_failure *f = &client->failure;
    char *body = aws_i_head_of(client) + client->http.used, code[128] = "";
    size_t room = aws_i_head_room(client) - client->http.used;
    size_t have = client->drained < room ? (size_t)client->drained : room;
    const char *header = aws_client_header(client, "x-amzn-query-error");

    if (size) {
        memcpy(body + have, data, aws_i_min(size, room - have));
        return size;
    }
    if (!header)
        header = aws_client_header(client, "x-amzn-errortype");
    aws_i_json_top(body, have, "__type", code, sizeof code);
    if (!code[0])
        aws_i_json_top(body, have, "code", code, sizeof code);
    if (header)
        aws_i_set(code, sizeof code, header);
    aws_i_set_code(f, code);
    aws_i_json_top(body, have, "message", f->message, sizeof f->message);
    aws_i_set(f->request_id, sizeof f->request_id, aws_client_header(client, "x-amzn-requestid"));
    return 0;
}

#ifdef AWS_STATIC
#define AWS_I_CONST static const
#else
#define AWS_I_CONST const
#endif
static const char aws_i_type_xml[] = "application/xml";
static const char aws_i_type_json[] = "application/json";
static const char aws_i_type_json_1_0[] = "application/x-amz-json-1.0";
static const char aws_i_type_json_1_1[] = "application/x-amz-json-1.1";
static const char aws_i_type_form[] = "application/x-www-form-urlencoded; charset=utf-8";
static const char aws_i_empty_json[] = "{}";
AWS_I_CONST aws_protocol aws_rest_xml = {aws_i_type_xml, NULL, 0, NULL, aws_i_xml_error};
AWS_I_CONST aws_protocol aws_json_1_0 = {aws_i_type_json_1_0, aws_i_empty_json,
                                         AWS_PROTOCOL_TARGET, NULL, aws_i_json_error};
AWS_I_CONST aws_protocol aws_json_1_1 = {aws_i_type_json_1_1, aws_i_empty_json,
                                         AWS_PROTOCOL_TARGET, NULL, aws_i_json_error};
AWS_I_CONST aws_protocol aws_rest_json = {aws_i_type_json, NULL, 0, NULL, aws_i_json_error};
AWS_I_CONST aws_protocol aws_query = {aws_i_type_form, NULL, AWS_PROTOCOL_XML, aws_i_emit_form,
                                      aws_i_xml_error};
AWS_I_CONST aws_protocol aws_ec2 = {aws_i_type_form, NULL, AWS_PROTOCOL_XML, aws_i_emit_form,
                                    aws_i_xml_error};

#define AWS_I_SERVICE(name, id, prefix, signing, protocol, version, flags, host)                  \
    static const char aws_i_texts_##name[] = id "\0" prefix "\0" signing "\0" version;            \
    AWS_I_CONST aws_service aws_##name##_service = {                                              \
        aws_i_texts_##name, aws_i_texts_##name + sizeof id,                                       \
        aws_i_texts_##name + sizeof id + sizeof prefix, &aws_##protocol,                          \
        aws_i_texts_##name + sizeof id + sizeof prefix + sizeof signing, flags, NULL, aws_##host,  \
        NULL, NULL};
AWS_SERVICES(AWS_I_SERVICE)
#undef AWS_I_SERVICE

/* The text after that with which a region begins, the last of which is "". */
static const char *aws_i_partition(const char *list, const char *region)
{
    while (strncmp(region, list, strlen(list)) != 0)
        list = aws_i_list_at(list, 2);
    return aws_i_list_at(list, 1);
}

static void aws_i_out_suffix(aws_out *out, const char *region)
{
    static const char suffixes[] =
        "cn-\0.amazonaws.com.cn\0us-iso-\0.c2s.ic.gov\0us-isob-\0.sc2s.sgov.gov\0"
        "us-isof-\0.csp.hci.ic.gov\0eu-isoe-\0.cloud.adc-e.uk\0eusc-\0.amazonaws.eu\0"
        "\0.amazonaws.com";

    aws_out_text(out, aws_i_partition(suffixes, region));
}

AWS_API const char *aws_regional(const char *region, aws_out *out)
{
    if (out) {
        aws_out_text(out, aws_i_text_dot);
        aws_out_text(out, region);
        aws_i_out_suffix(out, region);
    }
    return region;
}

AWS_API const char *aws_global(const char *region, aws_out *out)
{
    static const char regions[] =
        "cn-\0cn-north-1\0us-gov-\0us-gov-west-1\0us-iso-\0us-iso-east-1\0"
        "us-isob-\0us-isob-east-1\0us-isof-\0us-isof-south-1\0"
        "eu-isoe-\0eu-isoe-west-1\0eusc-\0eusc-de-east-1\0\0us-east-1";
    const char *one = aws_i_partition(regions, region);

    if (!out)
        return one;
    if (aws_i_equal(one, aws_i_text_us))
        aws_out_text(out, ".amazonaws.com");
    else if (aws_i_equal(one, "us-gov-west-1"))
        aws_out_text(out, ".us-gov.amazonaws.com");
    else
        aws_regional(one, out);
    return one;
}

/* ---- Requests of any service ---- */

static void aws_i_request_call(const aws_client *client, const aws_request *request,
                               aws_call *call)
{
    const aws_protocol *protocol = client->service->protocol;

    memset(call, 0, sizeof *call);
    call->operation = request->operation;
    call->method = request->method ? request->method : "POST";
    call->service = client->service;
    call->emit_context = request;
    call->path = request->path ? aws_i_out_path : NULL;
    if (protocol->emit)
        aws_call_emit(call, protocol->emit);
    else if (request->token && protocol->no_body)
        aws_call_emit(call, aws_i_emit_json);
    if (!call->emitter) {
        call->data = request->source || request->body ? request->body : protocol->no_body;
        call->size = request->source || request->body ? request->body_size
                     : protocol->no_body              ? strlen(protocol->no_body)
                                                      : 0;
        call->source = request->source;
    }
    call->buffer = request->buffer;
    call->buffer_size = request->buffer_size;
    call->sink = request->sink;
    call->timeout = request->timeout;
    call->flags = (request->stream ? (unsigned)AWS_CALL_READ : 0) |
                  (protocol->flags & AWS_PROTOCOL_XML ? (unsigned)AWS_CALL_XML : 0);
}

/* Query, headers and what is wrong, at the first entry. */
static void aws_i_request_members(aws_client *client, const aws_request *request)
{
    const aws_protocol *protocol = client->service->protocol;
    const char *type = request->content_type ? request->content_type : protocol->content_type;
    size_t i;

    if (protocol->flags & AWS_PROTOCOL_XML)
        client->check = aws_i_check_xml;
    if (request->path)
        aws_i_check_path(client, request);
    if ((request->buffer != NULL) + (request->sink != NULL) + (request->stream != 0) > 1)
        aws_call_refuse(client, AWS_REASON_ANSWER_WAYS, NULL);
    if ((request->source != NULL) + (request->body != NULL) + (request->form != NULL) > 1)
        aws_call_refuse(client, AWS_REASON_BODY_WAYS, NULL);
    if (request->source && !request->source->rewind)
        aws_call_refuse(client, AWS_REASON_SIGNED_BODY, NULL);
    for (i = 0; i < request->query_count; i++)
        if (request->query[i].value)
            aws_call_query(client, request->query[i].name, request->query[i].value);
    if (request->token && !client->call.emitter)
        aws_call_query(client, request->token_name, request->token);
    for (i = 0; i < request->header_count; i++)
        aws_call_header(client, NULL, request->headers[i].name, request->headers[i].value);
    if (client->size && type && *type)
        aws_call_header(client, "", aws_i_text_type, type);
    client->given = aws_i_out_given;
    if (protocol->flags & AWS_PROTOCOL_TARGET)
        aws_i_add(client, "", "x-amz-target", client->service->version, 0, AWS_I_HEADER_TARGET);
    if (client->service->flags & AWS_SERVICE_QUERY_MODE)
        aws_call_header(client, "", "x-amzn-query-mode", aws_i_text_true);
}

/* DynamoDB says the CRC32 of what it sends. */
static int aws_i_crc32_fits(aws_client *client, const aws_request *request)
{
    const char *header = aws_client_header(client, "x-amz-crc32");
    uint64_t want, context[8];
    unsigned char crc[32];

    if (!header || !aws_i_number(header, &want))
        return 1;
    aws_crc32.init(context);
    aws_crc32.update(context, request->buffer, (size_t)client->stored);
    aws_crc32.out(context, crc);
    return want ==
           ((uint32_t)crc[0] << 24 | (uint32_t)crc[1] << 16 | (uint32_t)crc[2] << 8 | crc[3]);
}

AWS_API int aws_request_run(aws_client *client, const aws_request *request)
{
    aws_call call;
    int r;

    aws_i_request_call(client, request, &call);
    r = aws_call_enter(client, &call);
    if (r < 0)
        return r;
    if (r)
        aws_i_request_members(client, request);
    do {
        r = aws_call_run(client);
        if (r < 0 || !request->buffer || aws_i_crc32_fits(client, request))
            return r;
    } while ((r = aws_call_repeat(client, AWS_REASON_CRC32)) == 0);
    return r;
}

/* ---- Pages ---- */

enum { AWS_I_PAGES_FIRST, AWS_I_PAGES_ASK, AWS_I_PAGES_END };

/* Ask for a page: 1 if it is there, 0 after the last one. */
static int aws_i_pages_ask(aws_client *client, aws_pages *pages, aws_slice *page)
{
    int r;

    if (pages->state == AWS_I_PAGES_END) {
        pages->state = AWS_I_PAGES_FIRST;
        return 0;
    }
    if (pages->state == AWS_I_PAGES_FIRST)
        pages->copy = *pages->request;
    pages->state = AWS_I_PAGES_ASK;
    if ((r = aws_request_run(client, &pages->copy)) < 0)
        return r;
    page->text = (const char *)pages->copy.buffer;
    page->size = (size_t)aws_client_received(client);
    return 1;
}

/* The half of the memory that the next token goes to. */
static char *aws_i_pages_room(const aws_pages *pages, size_t *room)
{
    *room = pages->size / 2;
    return pages->memory + (pages->half ? 0 : *room);
}

/* A token of `size` bytes and its NUL lies in that half, or doesn't fit; 0: there is none. */
static int aws_i_pages_token(aws_client *client, aws_pages *pages, int fits, size_t size)
{
    size_t room;
    const char *token = aws_i_pages_room(pages, &room);

    if (!size) {
        pages->state = AWS_I_PAGES_END;
        return 1;
    }
    if (!fits) {
        client->failure.needed = (size + 1) * 2;
        return aws_call_failed(client, AWS_REASON_PAGE_TOKEN);
    }
    if (pages->copy.token && aws_i_equal(pages->copy.token, token))
        return aws_call_failed(client, AWS_REASON_TOKEN);
    pages->copy.token = token;
    pages->half = !pages->half;
    return 1;
}

/* The token as the next request has it: JSON text in a body, plain text in a query. */
static int aws_i_pages_json_token(aws_client *client, aws_pages *pages, int at)
{
    const aws_json_token *t = pages->json.tokens + at;
    int quote = t->type == AWS_JSON_STRING, r;
    size_t room, size = (size_t)(t->end - t->start);
    char *to = aws_i_pages_room(pages, &room);

    if (t->type == AWS_JSON_NULL || (quote && !size))
        return aws_i_pages_token(client, pages, 1, 0);
    if (quote && !client->service->protocol->no_body) {
        r = aws_json_string(&pages->json, at, to, room);
        if (r == AWS_ERR_JSON)
            return aws_call_failed(client, AWS_REASON_JSON);
        return aws_i_pages_token(client, pages, r >= 0, size);
    }
    size += quote ? 2 : 0;
    if (size < room) {
        memcpy(to, pages->json.text + t->start - quote, size);
        to[size] = 0;
    }
    return aws_i_pages_token(client, pages, size < room, size);
}

AWS_API int aws_pages_json(aws_client *client, aws_pages *pages)
{
    aws_slice page;
    int r = aws_i_pages_ask(client, pages, &page), token, more;

    if (r <= 0)
        return r;
    r = aws_json_parse(&pages->json, page.text, page.size, pages->tokens, pages->token_count);
    if (r == AWS_ERR_MEMORY) {
        client->failure.needed = pages->json.count * sizeof(aws_json_token);
        return aws_call_failed(client, AWS_REASON_JSON_TOKENS);
    }
    if (r < 0)
        return aws_call_failed(client, r == AWS_ERR_JSON ? AWS_REASON_JSON : -r);
    token = aws_json_find(&pages->json, 0, pages->token_path);
    more = !pages->more_path ||
           aws_json_bool(&pages->json, aws_json_find(&pages->json, 0, pages->more_path)) > 0;
    if (!more || !token)
        return more && pages->more_path ? aws_call_failed(client, AWS_REASON_TOKEN)
                                        : aws_i_pages_token(client, pages, 1, 0);
    return aws_i_pages_json_token(client, pages, token);
}

AWS_API int aws_pages_xml(aws_client *client, aws_pages *pages)
{
    char flag[8], *to;
    aws_slice token;
    size_t room;
    int r = aws_i_pages_ask(client, pages, &pages->xml), n = 0;

    if (r <= 0)
        return r;
    to = aws_i_pages_room(pages, &room);
    r = aws_xml_find(&pages->xml, pages->token_path, &token);
    if (r > 0)
        n = aws_xml_value(&token, to, room);
    if (r < 0 || (n < 0 && n != AWS_ERR_MEMORY))
        return aws_call_failed(client, AWS_REASON_XML);
    if (pages->more_path) {
        r = aws_xml_get(&pages->xml, pages->more_path, flag, sizeof flag);
        if (r < 0 || !aws_i_equal(flag, aws_i_text_true))
            return aws_i_pages_token(client, pages, 1, 0);
        if (!n)
            return aws_call_failed(client, AWS_REASON_TOKEN);
    }
    return aws_i_pages_token(client, pages, n >= 0, n < 0 ? token.size : (size_t)n);
}

/* ---- Questions: an unsigned HEAD ---- */

/* The question for the time or a region: any answer has a Date, S3's the bucket's region. */
static void aws_i_out_probe(aws_out *out, const aws_client *client)
{
    aws_out_text(out, "HEAD ");
    aws_i_out_proxied(out, client, AWS_I_P_TARGET);
    aws_out_text(out, "/");
    if (client->probing == AWS_I_ASK && !client->virtual_host)
        aws_out_text(out, client->call.bucket);
    aws_out_text(out, " HTTP/1.1\r\nhost: ");
    aws_i_out_host(out, client);
    aws_i_out_user_agent(out, client);
    aws_out_text(out, aws_i_text_end);
}

/* What an unsigned HEAD was for. A region that isn't said leaves the refusal as it was. */
static int aws_i_probed(aws_client *client)
{
    if (client->probing == AWS_I_ASK)
        client->service->region(client, 1);
    else
        aws_i_learn_time(client, 0);
    client->probing = 0;
    if (!aws_i_now(client))
        return aws_i_fail(client, AWS_REASON_NO_DATE, NULL);
    return AWS_I_OPEN;
}

static const struct aws_i_probe aws_i_probe = {aws_i_out_probe, aws_i_probed};

#ifndef AWS_NO_TLS
/* A device without a clock met a certificate from its future: the world is at least that old. Other
 * clients of the session may know it by now. */
static int aws_i_recertify(aws_client *client)
{
    aws_session *session = client->session;

    if (client->tried & AWS_I_CERTIFICATE || client->failure.detail != 54)
        return 0;
    client->tried |= AWS_I_CERTIFICATE;
    aws_i_lock(client);
    if (session->floor < client->not_before)
        session->floor = client->not_before;
    aws_i_unlock(client);
    client->not_before = 0;
    aws_i_failure_reset(client);
    return 1;
}
#endif

/* Whoever refuses at a time that is far from what was signed may mean it, whatever the code says
 * (HEAD has none). */
static int aws_i_refused_far(aws_client *client)
{
    enum { SECONDS = 240 };
    int status = client->failure.http_status;

    if ((status != 400 && status != 403) || client->tried & AWS_I_CLOCK ||
        !aws_i_learn_time(client, SECONDS))
        return 0;
    client->tried |= AWS_I_CLOCK;
    return 1;
}

AWS_API int aws_feature_clock(aws_client *client, int step)
{
    if (step == AWS_I_CLOCK_RUN)
        return aws_i_run_clock(client);
#ifndef AWS_NO_TLS
    if (step == AWS_I_CLOCK_CERTIFICATE)
        return aws_i_recertify(client);
#endif
    if (step == AWS_I_CLOCK_FAR)
        return aws_i_refused_far(client);
    if (!client->session->floor)
        return 0;
    if (!client->anonymous) {
        client->probe = &aws_i_probe;
        client->probing = AWS_I_CLOCKLESS;
    }
    return 1;
}

/* ---- After a failure ---- */

enum {
    AWS_I_RETRY_FAILED, /* an attempt has: the state if another one is made, else 0 */
    AWS_I_RETRY_WRONG,  /* the same after an answer that came whole but isn't right */
    AWS_I_RETRY_PAUSE,  /* before that attempt: the state */
    AWS_I_RETRY_DONE    /* a call has ended well */
};

static AWS_I_APART int aws_i_retries(aws_client *client, int step)
{
    return aws_i_features(client)->retries ? aws_i_features(client)->retries(client, step) : 0;
}

/* A kept connection died before a byte of the answer: the server had closed it. */
static int aws_i_was_stale(const aws_client *client)
{
    const aws_i_connection *n = &client->connection;

    return n->used && !n->answered && client->failure.code == AWS_ERR_CLOSED;
}

/* Whether two regions' hosts end alike: credentials stay in the endpoint's own domain. */
static int aws_i_same_partition(const char *a, const char *b)
{
    static const char starts[] = "cn-\0us-iso-\0us-isob-\0us-isof-\0eu-isoe-\0eusc-\0";
    const char *start = starts;

    for (; *start; start += strlen(start) + 1)
        if (!strncmp(a, start, strlen(start)) != !strncmp(b, start, strlen(start)))
            return 0;
    return 1;
}

/* Whether a region that a service names can be gone to. */
static int aws_i_region_helps(const aws_client *client, const char *name)
{
    return strlen(name) < sizeof client->regions[0].name && aws_i_is_region(name) &&
           !aws_i_equal(name, client->region) && aws_i_same_partition(name, client->region);
}

/* The bucket's region as an answer names it: 1, 0 or (AWS_I_ASK) it has to be asked for. */
static int aws_i_find_region(aws_client *client, const char **name)
{
    const char *header = aws_client_header(client, "x-amz-bucket-region");
    const aws_call *call = &client->call;
    int status = client->http.status;

    *name = header ? header : client->failure.expected; /* <Region> */
    if (client->probing != AWS_I_ASK) {
        if (client->tried & AWS_I_REGION ||
            (status != 301 && status != 302 && status != 307 && status != 400))
            return 0;
        if (client->failure.aws_code[0] == 'I' && aws_i_equal(call->operation, "CreateBucket"))
            return 0; /* its LocationConstraint is the caller's */
        if (!**name && call->bucket && (status != 400 || call->method[0] == 'H'))
            return AWS_I_ASK;
    }
    return aws_i_region_helps(client, *name);
}

static uint32_t aws_i_bucket_hash(const aws_client *client)
{
    const char *bucket = client->call.bucket ? client->call.bucket : "";
    uint32_t hash = 1;

    while (*bucket)
        hash = hash * 31 + (unsigned char)*bucket++;
    return hash | 1;
}

/* The call's bucket lies there. */
static void aws_i_remember_region(aws_client *client, const char *name)
{
    aws_i_region *known = client->regions;
    uint32_t hash = aws_i_bucket_hash(client);

    if (known[0].bucket != hash)
        known[1] = known[0];
    known[0].bucket = hash;
    aws_i_set(known[0].name, sizeof known[0].name, name);
    client->region = known[0].name;
    client->key_day = UINT32_MAX;
}

AWS_API int aws_call_bucket_region(aws_client *client, int refused)
{
    aws_i_region *known = client->regions;
    const char *name = client->home;
    uint32_t hash = aws_i_bucket_hash(client);
    int r;

    if (refused) {
        if ((r = aws_i_find_region(client, &name)) == 0)
            return 0;
        client->tried |= AWS_I_REGION;
        if (r == AWS_I_ASK) {
            client->probe = &aws_i_probe;
            client->probing = AWS_I_ASK;
            return 1;
        }
        aws_i_remember_region(client, name);
    }
    if (known[0].bucket == hash)
        name = known[0].name;
    else if (known[1].bucket == hash)
        name = known[1].name;
    if (client->region != name)
        client->key_day = UINT32_MAX;
    client->region = name;
    if (refused)
        aws_i_target(client);
    return 1;
}

/* What a refusal tells how to put right: 1 if that was done, each kind once per call. */
static int aws_i_cure(aws_client *client)
{
    const aws_features *features = aws_i_features(client);

    if (client->failure.http_status < 300) /* an <Error> in a successful answer counts as 500 */
        return 0;
    return aws_i_clock(client, AWS_I_CLOCK_FAR) ||
           (client->session->provided && features->refresh(client, AWS_I_KEYS_REFUSED)) ||
           aws_i_bodies(client, AWS_I_BODY_REFUSED) ||
           (client->service->region && client->service->region(client, 1));
}

static int aws_i_step_decide(aws_client *client)
{
    aws_i_release_keys(client);
    if (client->inflight && client->failure.code != AWS_ERR_SERVICE) {
        client->connection.doomed = 1;
        client->tried |= AWS_I_LOST;
    }
    if (!client->body_begun && !aws_i_deadline_passed(client)) {
        int at_once = aws_i_was_stale(client) || aws_i_cure(client), retry;

        if (!at_once && (retry = aws_i_retries(client, AWS_I_RETRY_FAILED)) != 0)
            return retry;
        if (at_once || aws_i_bounded(client, AWS_I_B_FAILED, 0)) {
            client->result = 0;
            aws_i_failure_reset(client);
            return AWS_I_KEYS;
        }
    }
    return AWS_I_WRAP;
}

static int aws_i_step_backoff(aws_client *client)
{
    return aws_i_retries(client, AWS_I_RETRY_PAUSE);
}

static int aws_i_step_wrap(aws_client *client)
{
    if (client->connection.doomed)
        aws_i_close(client); /* AWS_AGAIN: the next call goes on with it */
    if (client->result >= 0)
        aws_i_retries(client, AWS_I_RETRY_DONE);
    client->state = (unsigned char)(client->result < 0 ? AWS_I_FAILED : AWS_I_IDLE);
    return 0;
}

/* ---- Retries: botocore's standard and legacy modes ---- */

static int aws_i_is_legacy(const aws_client *client)
{
    return aws_i_config(client)->retry_mode == AWS_RETRY_LEGACY;
}

static int aws_i_is_transient(const aws_client *client)
{
    static const char codes[] = /* and all that say Throttling or Throttled */
        "BadDigest\0RequestTimeout\0RequestTimeoutException\0PriorRequestNotComplete\0"
        "TooManyRequestsException\0ProvisionedThroughputExceededException\0"
        "TransactionInProgressException\0RequestLimitExceeded\0BandwidthLimitExceeded\0"
        "LimitExceededException\0SlowDown\0";
    int code = client->failure.code, status = client->http.status, legacy = aws_i_is_legacy(client);

    if (code != AWS_ERR_SERVICE)
        return code == AWS_ERR_LOOKUP || code == AWS_ERR_CONNECT || code == AWS_ERR_CLOSED ||
               code == AWS_ERR_TIMEOUT || code == AWS_ERR_TRUNCATED;
    /* 200: an <Error> in a successful answer counts as 500 */
    if (status < 300 || status == 429 || status == 500 || (status >= 502 && status <= 504))
        return 1;
    return (legacy && status == 509) || aws_i_within(client->failure.aws_code, "Throttl") ||
           aws_i_list_find(codes, client->failure.aws_code) >= !legacy;
}

/* What the answer left in a sink is taken back: 1 unless that can't be. */
static int aws_i_rewind_sink(const aws_client *client)
{
    const aws_sink *sink = client->call.sink;

    return !sink || !client->stored || aws_i_in_ranges(client) ||
           (sink->rewind && sink->rewind(sink->context) >= 0);
}

/* Take the retry's price from the session's quota. */
static int aws_i_pay(aws_client *client)
{
    enum { QUOTA = 500 };
    unsigned cost = client->failure.code == AWS_ERR_TIMEOUT ? 10 : 5;
    int paid;

    if (aws_i_is_legacy(client))
        return 1;
    aws_i_lock(client);
    paid = client->session->spent + cost <= QUOTA;
    if (paid)
        client->session->spent += cost;
    aws_i_unlock(client);
    if (paid)
        client->quota_cost = (unsigned char)cost;
    return paid;
}

/* A call has ended well: tokens of its last retry, or one. */
static void aws_i_pay_back(aws_client *client)
{
    uint32_t back = client->quota_cost ? client->quota_cost : 1;
    aws_session *session = client->session;

    aws_i_lock(client);
    session->spent -= session->spent < back ? session->spent : back;
    aws_i_unlock(client);
}

/* rand(0,1) * 2^(n-1) seconds before retry n, standard at most 20. */
static uint32_t aws_i_backoff_ms(const aws_client *client)
{
    unsigned doubled = client->attempts < 22 ? client->attempts - 1 : 21;
    uint32_t limit = (uint32_t)1000 << doubled;
    unsigned char random[2] = {255, 255};

    if (limit > 20000 && !aws_i_is_legacy(client))
        limit = 20000;
    client->port->entropy(client->port, random, sizeof random);
    return (uint32_t)((uint64_t)((uint32_t)random[0] << 8 | random[1]) * limit >> 16);
}

/* The state, AWS_I_BACKOFF: there is an attempt left, after that; else 0. What ends that is the
 * call's failure, not what the back-off is for. */
static int aws_i_retry(aws_client *client)
{
    unsigned most = aws_i_config(client)->max_attempts;

    if (!most)
        most = aws_i_is_legacy(client) ? 5 : 3;
    if (client->attempts >= most || !aws_i_rewind_sink(client) || !aws_i_pay(client))
        return 0;
    if (client->failure.http_status >= 500)
        client->tried |= AWS_I_LOST;
    client->wake = aws_i_ticks(client) + aws_i_backoff_ms(client);
    aws_i_log(client, AWS_I_L_RETRY);
    aws_i_failure_reset(client);
    client->result = 0;
    return client->state = AWS_I_BACKOFF;
}

static int aws_i_back_off(aws_client *client)
{
    if ((int32_t)(client->wake - aws_i_ticks(client)) > 0)
        return aws_i_want(client, AWS_WAIT_TIMER);
    aws_i_moved(client);
    client->attempts++;
    aws_i_failure_reset(client);
    return AWS_I_KEYS;
}

AWS_API int aws_feature_retries(aws_client *client, int step)
{
    if (step == AWS_I_RETRY_PAUSE)
        return aws_i_back_off(client);
    if (step == AWS_I_RETRY_DONE)
        aws_i_pay_back(client);
    else if (step == AWS_I_RETRY_WRONG || aws_i_is_transient(client))
        return aws_i_retry(client);
    return 0;
}

/* ---- The driver: step, wait, go on ---- */

/* What the state's function says, or the error that it has to meet. */
static int aws_i_step(aws_client *client)
{
    static int (*const steps[])(aws_client *) = {
        aws_i_step_take,   aws_i_step_hash,     aws_i_step_keys,   aws_i_step_open,
        aws_i_step_sign,   aws_i_step_head,     aws_i_step_body,   aws_i_step_caller,
        aws_i_step_response, aws_i_step_answer, aws_i_step_caller, aws_i_step_error,
        aws_i_step_decide, aws_i_step_backoff,  aws_i_step_wrap};
    int r = client->pending;

    client->pending = 0;
    return r ? r : steps[client->state - AWS_I_TAKE](client);
}

static void aws_i_step_failed(aws_client *client, int r)
{
    if (client->state == AWS_I_TAKE && (r == AWS_ERR_TIMEOUT || r == AWS_ERR_CLOSED) &&
        !aws_i_deadline_passed(client)) {
        client->owner = NULL; /* what was left of the old stream isn't this call's failure */
        client->connection.doomed = 1;
        return;
    }
    client->result = aws_i_fail(client, -r, NULL);
    /* An attempt begins when the body has its hashes: there is none to be repeated before. */
    client->state = client->state < AWS_I_KEYS ? AWS_I_WRAP : AWS_I_DECIDE;
}

/* Milliseconds left of limit since start, 0 if they have passed. */
static uint32_t aws_i_left(uint32_t now, uint32_t start, uint32_t limit)
{
    return now - start < limit ? limit - (now - start) : 0;
}

/* The time until which what is awaited must have come; *why the error text if it doesn't. */
static uint32_t aws_i_patience(aws_client *client, int *why)
{
    const aws_i_connection *n = &client->connection;
    uint32_t now = aws_i_ticks(client), ms = UINT32_MAX, left;

    *why = 0;
    if (client->waits & AWS_WAIT_TIMER) {
        ms = (int32_t)(client->wake - now) > 0 ? client->wake - now : 0;
    } else if (client->waits) {
        uint32_t since = client->progressed, limit = aws_i_config(client)->read_timeout;
        *why = AWS_REASON_READ_TIME;
        if (n->state == AWS_I_C_OPENING || n->state == AWS_I_C_HANDSHAKE) {
            since = n->opened;
            limit = aws_i_config(client)->connect_timeout;
            *why = AWS_REASON_CONNECT_TIME;
        }
        ms = aws_i_left(now, since, limit);
    }
    if (client->timeout && aws_i_in_progress(client)) {
        left = aws_i_left(now, client->started, client->timeout);
        if (left < ms) {
            ms = left;
            *why = AWS_REASON_CALL_TIME;
        }
    }
    return ms;
}

/* After AWS_AGAIN: wait as far as the port does. 0: step again, else what the caller gets. */
static int aws_i_wait(aws_client *client)
{
    const aws_port *port = client->port;
    int why;
    uint32_t ms = aws_i_patience(client, &why);
    unsigned what = client->waits & (AWS_WAIT_READ | AWS_WAIT_WRITE);

    if (ms) {
        if (client->no_wait || !port->wait)
            return AWS_AGAIN;
        why = port->wait(port, client->connection.area, what ? what : (unsigned)AWS_WAIT_TIMER, ms);
        why = why == AWS_AGAIN ? 0 : -why;
    }
    if (why > 0) { /* which the next step meets */
        aws_i_lost(&client->connection);
        client->pending = aws_i_fail(client, why, client->host);
    }
    return 0;
}

/* A function returns r to the caller: nothing is awaited but after AWS_AGAIN. */
static int aws_i_awaited(aws_client *client, int r)
{
    if (r != AWS_AGAIN)
        client->waits = 0;
    return r;
}

/* The caller comes back: the time that it was away isn't the peer's silence. */
static void aws_i_back(aws_client *client)
{
    if (!client->waits)
        aws_i_moved(client);
}

AWS_API int aws_call_run(aws_client *client)
{
    while (aws_i_in_progress(client)) {
        int r = aws_i_step(client);
        if (r == AWS_AGAIN && aws_i_wait(client) < 0)
            return r;
        if (!r) /* the result is 0, too, while there is more to do */
            break;
        if (r > 0)
            client->state = (unsigned char)r;
        else if (r != AWS_AGAIN && r != AWS_I_GO)
            aws_i_step_failed(client, r);
    }
    client->waits = 0;
    return client->result;
}

/* ---- Streams ---- */

/* An error met while the caller moves the body: it is final. */
static int aws_i_stream_failed(aws_client *client, int code)
{
    client->result = aws_i_fail(client, -code, NULL);
    client->connection.doomed = 1;
    client->state = AWS_I_WRAP;
    return aws_call_run(client);
}

/* A stream function doesn't fit the state: the first failure, or ours. */
static int aws_i_no_stream(aws_client *client)
{
    if (client->broken)
        return client->broken;
    if (client->state == AWS_I_FAILED)
        return client->result;
    if (aws_i_in_progress(client))
        return AWS_ERR_STATE;
    aws_i_failure_reset(client);
    return aws_i_fail(client, AWS_REASON_NO_STREAM, NULL);
}

AWS_API int aws_client_write(aws_client *client, const void *data, size_t size)
{
    int r;

    if (client->early && client->state > AWS_I_WRITE && (r = aws_call_run(client)) < 0)
        return r; /* the server refused the body: the rest of its answer */
    if (client->state != AWS_I_WRITE)
        return aws_i_no_stream(client);
    if (size > client->size - client->offset)
        return aws_i_stream_failed(
            client, aws_i_fail(client, AWS_REASON_WROTE_MORE, NULL));
    aws_i_back(client);
    do {
        if (!size)
            return 0;
        r = client->pending ? client->pending : aws_i_push_body(client, aws_i_bytes(data), size);
        client->pending = 0;
        if (r < 0)
            r = aws_i_early(client, r);
        if (r == AWS_I_GO) { /* the server has answered already: it refuses the body */
            if ((r = aws_call_run(client)) < 0)
                return r;
            if (client->state != AWS_I_WRITE)
                return AWS_ERR_STATE;
            continue; /* it was an interim answer */
        }
        if (r == AWS_AGAIN)
            r = aws_i_wait(client);
    } while (!r);
    if (r == AWS_AGAIN)
        return r;
    if (r < 0)
        return aws_i_stream_failed(client, r);
    client->offset += (size_t)r;
    aws_i_progress(client, client->offset, client->size);
    return aws_i_awaited(client, r);
}

/* Body bytes for the caller, waiting for them: how many, 0, AWS_AGAIN or an error. An <Error> in a
 * 200 answer is read to its end. */
static int aws_i_await_body(aws_client *client, const unsigned char **data)
{
    int r, blocked;

    do {
        r = client->pending                ? client->pending
            : client->state == AWS_I_ERROR ? aws_i_step_error(client)
                                           : aws_i_body(client, data);
        client->pending = blocked = 0;
        if (r == AWS_AGAIN)
            blocked = r = aws_i_wait(client);
        else if (r < 0 && aws_i_in_ranges(client))
            blocked = r = aws_i_bounded(client, AWS_I_B_STREAM, r);
        else
            break;
    } while (!blocked);
    return aws_i_awaited(client, r);
}

/* The caller reads on while the next range is on its way: 0, AWS_AGAIN or an error. */
static int aws_i_between_ranges(aws_client *client)
{
    if (!aws_i_in_ranges(client) || !aws_i_in_progress(client) || client->state == AWS_I_STREAM ||
        !(client->call.flags & AWS_CALL_READ))
        return 0;
    return aws_call_run(client);
}

AWS_API int aws_client_read(aws_client *client, void *data, size_t size)
{
    const unsigned char *from;
    int r;

    if ((r = aws_i_between_ranges(client)) < 0)
        return r;
    if (client->state != AWS_I_STREAM || client->owner)
        return aws_i_no_stream(client);
    aws_i_back(client);
    r = aws_i_await_body(client, &from);
    if (r < 0)
        return r == AWS_AGAIN ? r : aws_i_stream_failed(client, r);
    if (!r || !size)
        return 0;
    size = aws_i_min(size, (size_t)r);
    memcpy(data, from, size);
    aws_i_body_take(client, from, size);
    client->stored += size;
    aws_i_answer_progress(client);
    return (int)size;
}

AWS_API int aws_client_finish(aws_client *client)
{
    const unsigned char *data;
    int r;

    if (client->early && client->state > AWS_I_WRITE && (r = aws_call_run(client)) < 0)
        return r; /* it may have been an interim answer: the body isn't complete then */
    if (client->state == AWS_I_WRITE) {
        if (client->offset < client->size)
            return aws_i_stream_failed(
                client, aws_i_fail(client, AWS_REASON_WROTE_LESS, NULL));
        client->state = AWS_I_BODY; /* which is sent but for what ends it */
        client->progressed = aws_i_ticks(client);
    }
    if ((r = aws_i_between_ranges(client)) < 0)
        return r;
    if (client->state == AWS_I_STREAM && !client->owner) {
        aws_i_back(client);
        while ((r = aws_i_await_body(client, &data)) > 0)
            aws_i_body_take(client, data, (size_t)r);
        if (r < 0)
            return r == AWS_AGAIN ? r : aws_i_stream_failed(client, r);
        client->state = AWS_I_WRAP;
    }
    if (aws_i_in_progress(client) && client->state == AWS_I_STREAM)
        return AWS_ERR_STATE;
    if (client->broken)
        return client->broken;
    return aws_call_run(client);
}

AWS_API int aws_client_cancel(aws_client *client)
{
    aws_i_connection *n = &client->connection;

    if (!aws_i_in_progress(client))
        return 0;
    aws_i_release_keys(client);
    aws_i_settle(client);
    client->owner = NULL;
    client->pending = 0;
    client->waits = 0;
    if (client->state == AWS_I_STREAM && client->http.state == AWS_I_H_DONE && !n->doomed) {
        client->state = AWS_I_IDLE;
        return 0;
    }
    aws_i_failure_reset(client);
    client->result = aws_i_fail(client, -AWS_ERR_CANCELLED, NULL);
    client->state = AWS_I_FAILED;
    if (client->inflight || n->state != AWS_I_C_OPEN) {
        aws_i_lost(n);
        aws_i_close(client);
        client->waits = 0;
    }
    return 0;
}

AWS_API void aws_client_no_wait(aws_client *client, int no_wait)
{
    client->no_wait = no_wait || client->session->config.no_wait;
}

AWS_API int aws_client_waiting(aws_client *client, aws_waiting *waiting)
{
    int why;

    waiting->handle = -1;
    waiting->what = client->broken ? 0 : client->waits;
    waiting->ms = UINT32_MAX;
    if (!waiting->what)
        return 0;
    waiting->ms = aws_i_patience(client, &why);
    if (client->connection.state != AWS_I_C_CLOSED && client->port->handle &&
        waiting->what != AWS_WAIT_TIMER)
        waiting->handle =
            client->port->handle(client->port, client->connection.area, &waiting->what);
    if (waiting->what & AWS_WAIT_TIMER && waiting->ms > 100 && !(client->waits & AWS_WAIT_TIMER))
        waiting->ms = 100; /* the port has something to do by time */
    return 0;
}

/* ---- Bounded answers: only in programs that name aws_bounded_answers ---- */

/* An encrypted record must fit the client's buffer whole. A server that has accepted
 * max_fragment_length keeps to it; of another one nothing is asked for that it could send in a
 * record too large, though it sends head and body in one: an object in ranges under one If-Match,
 * after a HEAD if there is a checksum to be compared with, a listing in short pages. Each range is
 * a request of its own, with its own attempts, and the next one begins where the last one has
 * ended, however that was. A record that is too large all the same ends the connection: half of it
 * is then asked for, once. */

#ifndef AWS_NO_TLS

/* Named, so that they don't bring the other literals here to those who have them, too. */
static const char aws_i_text_length[] = "content-length";
static const char aws_i_text_encoding[] = "encoding-type";

enum {
    AWS_I_B_OVERHEAD = 29, /* of a record: its head, AES-GCM's nonce and tag */
    AWS_I_B_TAG = 16,      /* ChaCha20's is all there is */
    AWS_I_B_LEAST = 16     /* bytes worth a request */
};

/* Plain bytes of a record that fit. */
static size_t aws_i_b_limit(const aws_client *client)
{
    return client->connection.record_size - AWS_I_B_OVERHEAD;
}

/* The ServerHello goes by: its length after 7 bytes, its session id's after 34 more; the extensions
 * follow 5 bytes further on. */
static void aws_i_b_hello_byte(aws_i_ranges *r, unsigned char c)
{
    enum { MAX_FRAGMENT_LENGTH = 1 };

    if (r->step > 1 && !r->left)
        return;
    r->left = (unsigned short)(r->left - (r->step > 1));
    if (r->skip) {
        r->skip--;
        return;
    }
    r->word = (unsigned short)(r->word << 8 | c);
    switch (r->step++) {
    case 1:
        r->left = r->word;
        r->skip = 34;
        break;
    case 2:
        r->skip = (unsigned short)(c + 5);
        break;
    case 4:
        r->honoured |= r->word == MAX_FRAGMENT_LENGTH;
        break;
    case 6:
        r->skip = r->word;
        r->step = 3;
        break;
    default:
        break;
    }
}

static void aws_i_b_hello(aws_client *client, size_t size)
{
    size_t room;
    const unsigned char *data = br_ssl_engine_recvrec_buf(aws_i_engine(client), &room);

    while (size--)
        aws_i_b_hello_byte(client->ranges, *data++);
}

/* A member by its name, NULL if there is none. */
static aws_i_item *aws_i_b_item(aws_client *client, const char *name, int header)
{
    aws_i_item *item = client->items + (header ? client->query_count : 0);
    aws_i_item *end = client->items + (header ? client->item_count : client->query_count);

    for (; item < end; item++)
        if (!*item->prefix && aws_i_equal_nocase(item->name, name))
            return item;
    return NULL;
}

static void aws_i_b_set_header(aws_client *client, const char *name, const char *value)
{
    aws_i_item *item = aws_i_b_item(client, name, 1);

    if (!item) {
        aws_call_header(client, NULL, name, value);
        return;
    }
    item->value = value;
    item->length = strlen(value);
}

static void aws_i_b_remove(aws_client *client, aws_i_item *item)
{
    unsigned char again = item->again;

    client->query_count -= item->kind < AWS_I_HEADER;
    client->item_count--;
    memmove(item, item + 1, (size_t)(client->items + client->item_count - item) * sizeof *item);
    item->again &= again; /* the next one is now the first of its name if this one was */
}

/* The number at text, which goes on behind it; NULL if there is none, or a huge one. */
static const char *aws_i_b_number(const char *text, uint64_t *number)
{
    const char *start = text;

    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (unsigned)(*text - '0');
    return text > start && text - start < 19 ? text : NULL;
}

/* The caller's own Range: 0 if it can be divided. r->size 0: to the object's end. */
static int aws_i_b_own_range(aws_i_ranges *r, const char *text)
{
    uint64_t last;

    r->own = AWS_I_B_RANGE;
    if (strncmp(text, "bytes=", 6) != 0)
        return -1;
    text += 6;
    if (*text == '-') {
        r->own = AWS_I_B_SUFFIX;
        text = aws_i_b_number(text + 1, &r->size);
        return text && !*text && r->size ? 0 : -1;
    }
    text = aws_i_b_number(text, &r->from);
    if (!text || *text++ != '-')
        return -1;
    if (!*text)
        return 0;
    text = aws_i_b_number(text, &last);
    r->size = last - r->from + 1;
    return text && !*text && last >= r->from ? 0 : -1;
}

/* How the call is asked for, once its connection is there. */
static void aws_i_b_begin(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    aws_i_item *item = client->items;

    for (; item < client->items + client->query_count; item++)
        if (item->kind == AWS_I_QUERY_NUMBER && *item->value) { /* of aws_call_page */
            client->ranging = AWS_I_R_PAGE;
            r->wanted = (unsigned)item->length;
        }
    if (!(client->call.flags & AWS_CALL_RANGES) || aws_i_b_item(client, "partNumber", 0))
        return;
    r->from = r->size = r->whole = 0;
    r->etag = NULL;
    r->verifying = NULL;
    r->kept = 0;
    r->own = r->halved = 0;
    item = aws_i_b_item(client, "range", 1);
    if (item && aws_i_b_own_range(r, item->value) != 0)
        return; /* several, or nonsense: the server's to answer */
    client->ranging = AWS_I_R_FIRST;
    if (r->own == AWS_I_B_SUFFIX ||
        (!r->own && aws_i_features(client)->checksums && aws_i_dialect_of(client)->verified &&
         (aws_i_given(client, "x-amz-checksum-mode") || aws_i_given(client, "checksum-mode")))) {
        client->ranging = AWS_I_R_LOOK;
        client->call.method = "HEAD";
    }
}

/* Bytes of the object that fit a record behind the head: of the first range the head isn't known,
 * or only that of a HEAD, which has no Content-Range. */
static size_t aws_i_b_fit(const aws_client *client)
{
    enum { DIGITS = 16, CONTENT_RANGE = 96 };
    const aws_i_ranges *r = client->ranges;
    size_t limit = aws_i_b_limit(client), head = r->head ? r->head : limit / 2, fit;

    head += (size_t)(aws_i_in_ranges(client) ? DIGITS : CONTENT_RANGE);
    fit = limit > head + AWS_I_B_LEAST ? limit - head : (size_t)AWS_I_B_LEAST;
    if (!r->whole)
        fit = (fit + 1) / 2;
    if (r->halved)
        fit = aws_i_min(fit, (r->range + 1) / 2);
    return fit;
}

/* The object's next byte. */
static uint64_t aws_i_b_at(const aws_client *client)
{
    return client->ranges->from + (aws_i_in_ranges(client) ? client->came : 0);
}

/* The next range, of the object that the first one was of. */
static void aws_i_b_ask(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    uint64_t at = aws_i_b_at(client), left = r->from + r->size - at;
    aws_out out;

    r->range = aws_i_b_fit(client);
    if (r->size && left < r->range)
        r->range = (size_t)left;
    r->end = at + r->range;
    aws_i_out(&out, r->text, sizeof r->text - 1);
    aws_i_out_count(&out, "bytes=", at, "-");
    aws_out_number(&out, r->end - 1);
    r->text[out.used] = 0;
    aws_i_b_set_header(client, "range", r->text);
    if (r->etag)
        aws_i_b_set_header(client, "if-match", r->etag);
}

/* As many entries as are thought to fit. */
static void aws_i_b_ask_page(aws_client *client)
{
    enum { HEADS = 900, ENTRY = 400 };
    aws_i_ranges *r = client->ranges;
    size_t limit = aws_i_b_limit(client);
    aws_i_item *item = client->items, *encoding = aws_i_b_item(client, aws_i_text_encoding, 0);

    if (!r->keys)
        r->keys = limit < HEADS + ENTRY ? 1 : (unsigned)((limit - HEADS) / ENTRY);
    r->asked = r->keys < r->wanted ? r->keys : r->wanted;
    while (!(item->kind == AWS_I_QUERY_NUMBER && *item->value))
        item++;
    item->length = r->asked;
    if (r->plain && encoding)
        aws_i_b_remove(client, encoding);
}

static int aws_i_b_plan(aws_client *client)
{
    int r;

    if (client->ranging == AWS_I_R_WHOLE && !client->ranges->honoured)
        aws_i_b_begin(client);
    if (client->ranging == AWS_I_R_FIRST || client->ranging == AWS_I_R_MORE)
        aws_i_b_ask(client);
    else if (client->ranging == AWS_I_R_PAGE)
        aws_i_b_ask_page(client);
    r = client->pending;
    client->pending = 0;
    return r;
}

/* Keep a header where the heads of later ranges don't come, if it fits. */
static const char *aws_i_b_put(aws_client *client, const char *name, const char *value)
{
    aws_i_ranges *r = client->ranges;
    size_t first = strlen(name) + 1, second = strlen(value) + 1;
    char *to = client->text + r->kept;

    if (first + second > sizeof client->text - r->kept)
        return NULL;
    memcpy(to, name, first);
    memcpy(to + first, value, second);
    r->kept += first + second;
    return to + first;
}

/* Keep the ETag, and the checksums or all but these of the answer's headers. */
static void aws_i_b_put_headers(aws_client *client, int checksums)
{
    static const char sum[] = "x-amz-checksum-";
    static const char not_these[] = "etag\0content-length\0content-range\0";
    const char *etag = aws_client_header(client, "etag");
    unsigned i = 0;
    aws_pair header;

    if (!client->ranges->etag && etag)
        client->ranges->etag = aws_i_b_put(client, "etag", etag);
    while (aws_client_header_at(client, i++, &header)) {
        int is_sum = !strncmp(header.name, sum, sizeof sum - 1);
        if (is_sum == checksums && aws_i_list_find(not_these, header.name) < 0)
            aws_i_b_put(client, header.name, header.value);
    }
}

/* The head that the caller gets to see is the whole answer's. */
static void aws_i_b_keep_head(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    char text[80];
    aws_out out;

    aws_i_out(&out, text, sizeof text - 1);
    aws_out_number(&out, r->size);
    text[out.used] = 0;
    aws_i_b_put(client, aws_i_text_length, text);
    if (r->own) {
        aws_i_out(&out, text, sizeof text - 1);
        aws_i_out_count(&out, "bytes ", r->from, "-");
        aws_i_out_count(&out, "", r->from + r->size - 1, "/");
        aws_out_number(&out, r->whole);
        text[out.used] = 0;
        aws_i_b_put(client, "content-range", text);
    }
    aws_i_b_put_headers(client, 0);
}

/* Content-Range: bytes first-last/whole. */
static int aws_i_b_content_range(const aws_client *client, uint64_t *first, uint64_t *last,
                                 uint64_t *whole)
{
    const char *text = aws_client_header(client, "content-range");

    if (!text || strncmp(text, "bytes ", 6) != 0)
        return 0;
    text = aws_i_b_number(text + 6, first);
    text = text && *text == '-' ? aws_i_b_number(text + 1, last) : NULL;
    text = text && *text == '/' ? aws_i_b_number(text + 1, whole) : NULL;
    return text && !*text && *first <= *last && *last < *whole;
}

/* What a HEAD says of the object that is wanted: go on with its first range. */
static int aws_i_b_looked(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    uint64_t last, size = client->http.length;

    client->call.method = aws_i_text_get;
    client->ranging = AWS_I_R_FIRST;
    if (!r->own && client->http.has_length && !size) { /* empty: there is nothing to ask for */
        client->ranging = AWS_I_R_PLAIN;
        return 0;
    }
    r->verifying = r->own ? NULL : client->verifying;
    client->verifying = NULL;
    if (r->own && aws_i_b_content_range(client, &r->from, &last, &r->whole)) {
        r->size = last - r->from + 1;
    } else if (r->own && (!client->http.has_length || !size)) {
        client->ranging = AWS_I_R_PLAIN;
    } else if (client->http.has_length) {
        r->whole = size;
        r->size = r->own && r->size < size ? r->size : size;
        r->from = size - r->size;
    }
    aws_i_b_put_headers(client, 1);
    return aws_i_go(client, AWS_I_KEYS);
}

static int aws_i_b_changed(aws_client *client)
{
    client->connection.doomed = 1;
    client->http.status = client->failure.http_status = 412;
    aws_i_set(client->failure.aws_code, sizeof client->failure.aws_code, "PreconditionFailed");
    return aws_i_fail(client, AWS_REASON_CHANGED, client->call.key);
}

/* The first range has come: the object is known now. 0 or an error. */
static int aws_i_b_first(aws_client *client, uint64_t whole)
{
    aws_i_ranges *r = client->ranges;
    uint64_t size = whole - r->from;
    const aws_call *call = &client->call;

    if (!r->size || size < r->size)
        r->size = size;
    r->whole = whole;
    aws_i_b_keep_head(client);
    if (!r->etag && r->range < r->size)
        return aws_i_fail(client, AWS_REASON_NO_ETAG, NULL);
    if (call->buffer && r->size > call->buffer_size) {
        client->failure.needed = (size_t)(r->size < (size_t)-1 ? r->size : (size_t)-1);
        return aws_i_fail(client, AWS_REASON_BUFFER, NULL);
    }
    client->ranging = AWS_I_R_MORE;
    client->came = 0;
    return 0;
}

/* A range's head has come: 0 if it is the one that was asked for, or an error. */
static int aws_i_b_part(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    const char *etag = aws_client_header(client, "etag");
    uint64_t first, last, whole;
    int result;

    if (client->http.status != 206 || !aws_i_b_content_range(client, &first, &last, &whole) ||
        first != aws_i_b_at(client) || last >= r->end ||
        (client->http.has_length && client->http.length != last - first + 1)) {
        client->connection.doomed = 1;
        return aws_i_fail(client, AWS_REASON_RANGE, NULL);
    }
    if ((r->etag && etag && !aws_i_equal(etag, r->etag)) || (r->whole && whole != r->whole))
        return aws_i_b_changed(client);
    if (client->ranging == AWS_I_R_FIRST && (result = aws_i_b_first(client, whole)) < 0) {
        client->connection.doomed = 1;
        return result;
    }
    r->part = last + 1;
    client->kept = r->kept;
    client->verifying = r->verifying;
    client->http.status = client->failure.http_status = r->own ? 206 : 200;
    return 0;
}

static int aws_i_b_answered(aws_client *client, size_t head)
{
    aws_i_ranges *r = client->ranges;

    if (!aws_i_in_ranges(client))
        client->came = head;
    client->kept = 0; /* what is read now is this answer's */
    if (client->ranging == AWS_I_R_WHOLE || client->ranging >= AWS_I_R_PLAIN ||
        client->http.status >= 300)
        return 0;
    if (!r->whole || r->head < head)
        r->head = head;
    if (client->ranging == AWS_I_R_LOOK)
        return aws_i_b_looked(client);
    if (client->ranging == AWS_I_R_FIRST && client->http.status != 206) {
        client->ranging = AWS_I_R_PLAIN; /* a server without ranges sends all at once */
        return 0;
    }
    return aws_i_b_part(client);
}

/* A page has come whole, in client->came bytes: how many entries the next one may have. */
static void aws_i_b_paged(aws_client *client)
{
    enum { MOST = 1000 };
    aws_i_ranges *r = client->ranges;
    size_t came = (size_t)client->came, fit = aws_i_b_limit(client) / 8 * 7;
    size_t keys = r->asked * fit / (came ? came : 1);

    if (!r->asked)
        return;
    keys = keys > r->asked * 2 ? r->asked * 2 : keys;
    r->keys = (unsigned)(keys > MOST ? (size_t)MOST : keys ? keys : 1);
    r->asked = r->plain = 0;
}

static int aws_i_b_next(aws_client *client)
{
    aws_i_ranges *r = client->ranges;

    if (client->http.status >= 300)
        return 0;
    if (client->ranging == AWS_I_R_PAGE)
        aws_i_b_paged(client);
    if (!aws_i_in_ranges(client))
        return 0;
    if (aws_i_b_at(client) != r->part) {
        client->connection.doomed = 1;
        return aws_i_fail(client, AWS_REASON_RANGE, NULL);
    }
    if (client->came == r->size)
        return 0;
    if (client->quota_cost)
        aws_i_retries(client, AWS_I_RETRY_DONE);
    client->quota_cost = client->tried = r->halved = 0;
    client->attempts = 1; /* of the next range */
    aws_i_failure_reset(client);
    return aws_i_go(client, AWS_I_KEYS);
}

/* A record was too large: 1 if less can be asked for. */
static int aws_i_b_shrink(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    size_t bytes = aws_i_tls_record(client) - 5 - AWS_I_B_TAG, keys;

    if (client->ranging == AWS_I_R_PAGE) {
        keys = r->asked * (aws_i_b_limit(client) / 8 * 7) / bytes;
        keys = aws_i_min(keys, r->asked / 2);
        r->keys = keys ? (unsigned)keys : 1;
        if (r->asked > 1)
            return 1;
        /* a key in its own bytes is shorter */
        r->plain = aws_i_b_item(client, aws_i_text_encoding, 0) != NULL;
        return r->plain;
    }
    if ((client->ranging != AWS_I_R_FIRST && client->ranging != AWS_I_R_MORE) || r->halved)
        return 0;
    r->halved = 1;
    if (bytes > r->range && bytes - r->range > r->head)
        r->head = bytes - r->range;
    return 1;
}

static int aws_i_b_failed(aws_client *client)
{
    aws_i_ranges *r = client->ranges;
    aws_failure *f = &client->failure;
    int status = client->http.status;
    aws_i_item *range = aws_i_b_item(client, "range", 1);

    if (f->reason == AWS_REASON_RECORD)
        return aws_i_b_shrink(client);
    if (f->code != AWS_ERR_SERVICE)
        return 0;
    if (client->ranging == AWS_I_R_LOOK && status / 100 == 4) {
        client->call.method = "GET"; /* which says why, or may be allowed */
        client->ranging = r->own ? AWS_I_R_PLAIN : AWS_I_R_FIRST;
        return 1;
    }
    if (client->ranging == AWS_I_R_FIRST && status == 416 && !r->own && range) {
        aws_i_b_remove(client, range); /* an empty object has no ranges */
        client->ranging = AWS_I_R_PLAIN;
        return 1;
    }
    if ((client->ranging == AWS_I_R_FIRST && r->etag && status == 412) ||
        (aws_i_in_ranges(client) && (status == 412 || status == 416)))
        f->reason = AWS_REASON_CHANGED;
    return 0;
}

/* aws_i_body said r: the next range, or another attempt. 0 once there is a body again. */
static int aws_i_b_stream(aws_client *client, int r)
{
    if (r != AWS_I_GO) {
        client->result = aws_i_fail(client, -r, NULL);
        client->state = (unsigned char)aws_i_step_decide(client);
    }
    return aws_call_run(client);
}

AWS_API int aws_bounded_answers(aws_client *client, int what, int number)
{
    aws_i_ranges *r = client->ranges;

    switch (what) {
    case AWS_I_B_START:
        r->skip = 7;
        r->step = r->honoured = 0;
        return 0;
    case AWS_I_B_HELLO:
        aws_i_b_hello(client, (size_t)number);
        return 0;
    case AWS_I_B_PLAN:
        return aws_i_b_plan(client);
    case AWS_I_B_ANSWERED:
        return aws_i_b_answered(client, (size_t)number);
    case AWS_I_B_NEXT:
        return aws_i_b_next(client);
    case AWS_I_B_FAILED:
        return aws_i_b_failed(client);
    default:
        return aws_i_b_stream(client, number);
    }
}

#endif /* AWS_NO_TLS */

/* ---- Answers read by their reader ---- */

AWS_API void aws_call_own(aws_client *client, void *owner, aws_save *save)
{
    client->owner = owner;
    client->save = save;
    client->timeout = 0; /* the owner's program decides when it reads on */
}

AWS_API int aws_call_reading(const aws_client *client)
{
    return client->state == AWS_I_STREAM || client->state == AWS_I_ERROR;
}

AWS_API int aws_call_owned(const aws_client *client, const void *owner)
{
    return client->owner == owner;
}

AWS_API int aws_call_drop(aws_client *client)
{
    int r;

    if (client->state != AWS_I_STREAM)
        return 0;
    client->owner = NULL;
    do
        r = aws_i_drain(client);
    while (r == AWS_AGAIN && (r = aws_i_wait(client)) == 0);
    if (r == AWS_AGAIN)
        return r;
    client->pending = 0;
    client->drained = 0;
    client->result = 0;
    aws_i_failure_reset(client);
    client->state = AWS_I_WRAP;
    return aws_call_run(client);
}

/* What comes after an event r of the piece that is there. */
static AWS_I_RARE int aws_i_xml_more(aws_client *client, int r)
{
    aws_xml *xml = aws_i_xml_of(client);

    if (!client->piece) /* the clock isn't asked for each event */
        aws_i_back(client);
    if (client->failure.code) /* of a call that was refused meanwhile */
        aws_i_failure_reset(client);
    for (;;) {
        if (r > 0 && !aws_i_is_error_root(xml, r))
            return r;
        aws_i_settle(client);
        if (r > 0 && client->state != AWS_I_STREAM)
            return aws_i_fail(client, -AWS_ERR_SERVICE, NULL); /* its owner gives it up */
        if (r > 0)
            client->state = AWS_I_ERROR; /* whose rest is read instead of a piece */
        else if (r != AWS_AGAIN)
            return aws_i_xml_failed(client);
        if ((r = aws_i_await_body(client, &xml->at)) < 0)
            return r;
        if (!r)
            break;
        client->piece = xml->at;
        xml->end = xml->at + r;
        r = aws_i_xml_next(xml);
    }
    if (!aws_xml_complete(xml))
        return aws_i_xml_failed(client);
    if (client->state == AWS_I_STREAM) {
        client->owner = NULL;
        client->state = AWS_I_WRAP;
        client->result = 0;
        return aws_call_run(client);
    }
    return 0;
}

AWS_API int aws_call_xml(aws_client *client, aws_xml **reader)
{
    aws_xml *xml = aws_i_xml_of(client);
    int r = client->piece ? aws_i_xml_next(xml) : AWS_AGAIN;

    *reader = xml;
    return r > 0 && (r != AWS_XML_START || xml->depth > 1) ? r : aws_i_xml_more(client, r);
}

AWS_API int aws_call_again(aws_client *client, int code)
{
    if (client->state != AWS_I_STREAM && client->state != AWS_I_ERROR)
        return code;
    aws_i_settle(client);
    client->owner = NULL;
    client->result = aws_i_fail(client, -code, NULL);
    client->state = (unsigned char)aws_i_step_decide(client);
    return client->state == AWS_I_WRAP ? aws_call_run(client) : 0;
}

AWS_API int aws_call_repeat(aws_client *client, int reason)
{
    int failed = aws_call_failed(client, reason);

    return !client->body_begun && !aws_i_deadline_passed(client) &&
                   aws_i_retries(client, AWS_I_RETRY_WRONG)
               ? 0
               : failed;
}

/* Keep an event's part of a leaf's text in the head arena: name NUL text NUL. */
static int aws_i_collect_event(aws_client *client, const aws_xml *xml, int event)
{
    aws_i_http *http = &client->http;
    char *head = aws_i_head_of(client);
    size_t room = aws_i_head_room(client), name = xml->path_length - xml->root_length + 1;

    if (event == AWS_XML_START) {
        if (client->xml_open)
            http->used = http->name; /* its parent is no leaf */
        if (name > room - http->used)
            return AWS_ERR_TOO_BIG;
        http->name = http->used;
        memcpy(head + http->used, xml->path + xml->root_length, name);
        http->used += name;
        client->xml_open = 1;
    } else if (client->xml_open && event == AWS_XML_TEXT) {
        if (xml->text_size >= room - http->used)
            return AWS_ERR_TOO_BIG;
        memcpy(head + http->used, xml->text, xml->text_size);
        http->used += xml->text_size;
    } else if (client->xml_open) {
        if (http->used == room)
            return AWS_ERR_TOO_BIG;
        head[http->used++] = 0;
        client->xml_open = 0;
    }
    return 0;
}

AWS_API int aws_call_collect(aws_client *client)
{
    aws_xml *xml;
    int r;

    for (;;) {
        if (client->state != AWS_I_STREAM && client->state != AWS_I_ERROR &&
            ((r = aws_call_run(client)) < 0 || client->state != AWS_I_STREAM))
            return r;
        do {
            if ((r = aws_call_xml(client, &xml)) > 0)
                r = aws_i_collect_event(client, xml, r) < 0
                        ? aws_i_fail(client, AWS_REASON_XML_SIZE, NULL)
                        : r;
        } while (r > 0);
        if (r == 0 || r == AWS_AGAIN)
            return r;
        if ((r = aws_call_again(client, r)) < 0)
            return r;
    }
}

AWS_API const char *aws_client_region(const aws_client *client)
{
    return client->home;
}

/* ---- Failure text: nothing else refers to the sentences below ---- */

AWS_API const char *aws_code_name(int code)
{
    static const char names[] = "OK\0"
#define AWS_I_NAME(name, number, text) #name "\0"
        AWS_ERRORS(AWS_I_NAME)
#undef AWS_I_NAME
        "AWS_ERR_?\0";

    return aws_i_list_at(names, code > 0 ? 0 : code <= AWS_ERR_LAST ? -AWS_ERR_LAST : -code);
}

AWS_API const char *aws_code_text(int code)
{
    static const char texts[] = "success\0"
#define AWS_I_TEXT(name, number, text) text "\0"
        AWS_ERRORS(AWS_I_TEXT)
#undef AWS_I_TEXT
        "an error of the port or a callback\0";

    return aws_i_list_at(texts, code > 0 ? 0 : code <= AWS_ERR_LAST ? -AWS_ERR_LAST : -code);
}

/* One after the other, too, but as members: a literal of all would be too long for C99. */
static const char *aws_i_reason_text(int reason)
{
    static const struct {
        char aws_i_none[sizeof "-"];
#define AWS_I_TEXT(name, code, text) char aws_i_##name[sizeof text];
        AWS_REASONS(AWS_I_TEXT)
#undef AWS_I_TEXT
    } texts = {"-"
#define AWS_I_TEXT(name, code, text) , text
               AWS_REASONS(AWS_I_TEXT)
#undef AWS_I_TEXT
    };

    return aws_i_list_at((const char *)&texts, reason / 32);
}

/* The text after key in a list of pairs, NULL if there is none. */
static const char *aws_i_list_value(const char *pairs, const char *key)
{
    int index = aws_i_list_find(pairs, key);

    return index < 0 ? NULL : aws_i_list_at(pairs, index + 1);
}

/* The same for a number as key. */
static const char *aws_i_list_note(const char *pairs, int number)
{
    char key[8];
    aws_out out;

    aws_i_out(&out, key, sizeof key - 1);
    aws_out_number(&out, (uint64_t)number);
    key[out.used] = 0;
    return aws_i_list_value(pairs, key);
}

/* The next step by our own code's number. */
static const char *aws_i_advice(int code)
{
    static const char notes[] =
        "4\0finish it, or end it with aws_client_cancel\0"
        "6\0give the port a clock, or set aws_config.clock_floor to the build time\0"
        "7\0nothing was sent; check the port's entropy function\0"
        "9\0check the endpoint, the region and the network\0"
        "10\0check the endpoint's host and port\0"
        "11\0check the network and try again\0"
        "12\0check the network, or allow more time\0"
        "15\0nothing of it was taken as success; try again\0";

    return aws_i_list_note(notes, -code);
}

/* What BearSSL's number means. */
static const char *aws_i_tls_advice(int number)
{
    static const char notes[] =
        "53\0the time is not known, so the certificate can't be checked: set the clock\0"
        "54\0it is expired or not yet valid: check the device's clock\0"
        "56\0it is for another host than '%v': check the endpoint\0"
        "62\0it is not from a CA that is trusted here: give its CA by aws_config.trust\0"
        "296\0the server accepts none of our TLS 1.2 cipher suites (ECDHE with AES-GCM)\0"
        "326\0the server does not speak TLS 1.2\0";

    return aws_i_list_note(notes, number);
}

/* What AWS's codes mean and what to do; HEAD has only a status. %v key or bucket, %a access key
 * id, %r our region, %t our time, %e what the server would have. */
static const char *aws_i_hint(const char *aws_code)
{
    static const char hints[] =
        "SignatureDoesNotMatch\0"
        "the secret access key does not belong to access key '%a': check secret_access_key\0"
        "407\0"
        "the proxy wants another user or password in aws_config.proxy\0"
        "InvalidAccessKeyId\0"
        "the access key '%a' is not known there: check access_key_id\0"
        "RequestTimeTooSkewed\0"
        "the clock here says %t, the server's %e: set the clock of this device\0"
        "AuthorizationHeaderMalformed\0"
        "region '%r' is not the one the server wants, which is '%e': set aws_config.region\0"
        "PermanentRedirect\0"
        "region '%r' is not the bucket's, which is '%e': set aws_config.region\0"
        "301\0"
        "region '%r' is not the bucket's, which is '%e': set aws_config.region\0"
        "ExpiredToken\0"
        "the session token of '%a' has expired: get new credentials\0"
        "InvalidToken\0"
        "the session token of '%a' is not valid: get new credentials\0"
        "AccessDenied\0"
        "access key '%a' may not do this: check its policy\0"
        "403\0"
        "access key '%a' may not do this, or its secret or the clock is wrong\0"
        "SlowDown\0"
        "the service asks for fewer requests: try later\0"
        "NoSuchBucket\0"
        "bucket '%v' does not exist there: check its name, or create it\0"
        "NoSuchKey\0"
        "there is no object '%v' in the bucket: check the key\0"
        "404\0"
        "'%v' does not exist there: check the name\0"
        "BucketAlreadyExists\0"
        "the name '%v' is taken by somebody else: choose another\0"
        "BucketAlreadyOwnedByYou\0"
        "you have bucket '%v' already: go on with it\0"
        "BucketNotEmpty\0"
        "bucket '%v' still has objects: delete them first\0"
        "IllegalLocationConstraintException\0"
        "this endpoint doesn't create buckets in region '%r': set location_constraint\0"
        "PreconditionFailed\0"
        "'%v' has changed, or exists already\0"
        "InvalidRange\0"
        "the range lies outside of object '%v'\0"
        "InvalidObjectState\0"
        "object '%v' is archived: restore it first\0";

    return aws_i_list_value(hints, aws_code);
}

/* A text with its %x replaced. */
static void aws_i_out_hint(aws_out *out, const char *text, const aws_client *client)
{
    const aws_failure *f = &client->failure;

    while (*text) {
        size_t run = strcspn(text, "%");
        const char *value = f->value;
        char date[17];

        aws_out_bytes(out, text, run);
        text += run;
        if (!*text)
            return;
        if (text[1] == 'e')
            value = f->expected;
        else if (text[1] == 'a')
            value = client->session->keys.access_key_id;
        else if (text[1] == 'r')
            value = client->region;
        else if (text[1] == 't') {
            aws_date_text(client->time, date);
            value = date;
        } else if (text[1] == 'l') {
            aws_out number;
            aws_i_out(&number, date, sizeof date - 1);
            aws_out_number(&number, f->signed_line);
            date[number.used] = 0;
            value = date;
        }
        aws_out_text(out, value && (*value || text[1] == 'v') ? value : "(not said)");
        text += 2;
    }
}

AWS_API const aws_failure *aws_client_failure(const aws_client *client)
{
    return &client->failure;
}

/* "AccessDenied (HTTP 403, 2 attempts): the service's words" */
static void aws_i_out_answer(aws_out *out, const aws_failure *f)
{
    aws_out_text(out, f->aws_code);
    aws_i_out_count(out, " (HTTP ", (uint64_t)f->http_status, "");
    if (f->attempts > 1)
        aws_i_out_count(out, ", ", f->attempts, " attempts");
    aws_out_text(out, ")");
    if (f->message[0]) {
        size_t size = strlen(f->message);
        aws_out_text(out, ": ");
        aws_out_bytes(out, f->message, size - (f->message[size - 1] == '.'));
    }
}

static void aws_i_out_service_failure(aws_out *out, const aws_client *client)
{
    const aws_failure *f = &client->failure;
    const char *hint = f->reason >= 32 ? aws_i_reason_text(f->reason) : aws_i_hint(f->aws_code);

    aws_i_out_answer(out, f);
    if (hint) {
        aws_out_text(out, "; ");
        aws_i_out_hint(out, hint, client);
    }
    if (f->request_id[0]) {
        aws_out_text(out, "; request id ");
        aws_out_text(out, f->request_id);
    }
}

static void aws_i_out_own_failure(aws_out *out, const aws_client *client)
{
    const aws_failure *f = &client->failure;
    int code = f->cause ? f->cause : f->code;
    int tls = code == AWS_ERR_TLS || code == AWS_ERR_CERTIFICATE;
    const char *advice = tls ? aws_i_tls_advice(f->detail) : aws_i_advice(f->code);

    aws_out_text(out, aws_code_text(f->code));
    if (f->reason >= 32) {
        aws_out_text(out, ": ");
        aws_i_out_hint(out, aws_i_reason_text(f->reason), client);
    } else if (f->value[0] && !tls) {
        aws_out_text(out, ": ");
        aws_out_text(out, f->value);
    }
    if (f->cause) {
        aws_out_text(out, ": ");
        aws_out_text(out, aws_code_text(f->cause));
    }
    if (f->code == AWS_ERR_CREDENTIALS && f->http_status) {
        aws_out_text(out, ": ");
        aws_i_out_answer(out, f);
    }
    if (f->needed)
        aws_i_out_count(out, ": ", f->needed, " bytes are needed");
    if (advice) {
        aws_out_text(out, "; ");
        aws_i_out_hint(out, advice, client);
    }
    if (f->detail) {
        aws_out_text(out, tls ? " (BearSSL error " : " (system error ");
        aws_i_out_count(out, f->detail < 0 ? "-" : "",
                        (uint64_t)(f->detail < 0 ? -(int64_t)f->detail : f->detail), ")");
    }
    if (f->attempts > 1)
        aws_i_out_count(out, ", after ", f->attempts, " attempts");
}

AWS_API const char *aws_client_failure_text(aws_client *client)
{
    const aws_failure *f = &client->failure;
    aws_out out;

    client->kept = 0; /* a bounded answer's head was there */
    aws_i_out(&out, client->text, sizeof client->text - 1);
    if (f->operation && *f->operation) {
        aws_out_text(&out, f->operation);
        aws_out_text(&out, ": ");
    }
    if (f->code == AWS_ERR_SERVICE)
        aws_i_out_service_failure(&out, client);
    else
        aws_i_out_own_failure(&out, client);
    client->text[out.used] = 0;
    return client->text;
}

/* ---- Waiters ---- */

/* Until ticks have come to wake: 0, AWS_AGAIN or the port's error. */
static int aws_i_sleep_until(aws_client *client, uint32_t wake)
{
    int r = 0;

    while (!r && (int32_t)(wake - aws_i_ticks(client)) > 0) {
        client->wake = wake;
        aws_i_want(client, AWS_WAIT_TIMER);
        r = aws_i_wait(client);
        if (client->pending)
            r = client->pending;
        client->pending = 0;
    }
    return aws_i_awaited(client, r);
}

static int aws_i_verdict(const aws_client *client, const aws_waiter_rule *rule, int r)
{
    for (; rule && rule->verdict; rule++)
        if ((!rule->status || rule->status == client->http.status) &&
            (!rule->aws_code || aws_i_equal(rule->aws_code, client->failure.aws_code)) &&
            (r >= 0 || r == AWS_ERR_SERVICE))
            return rule->verdict;
    return r < 0 ? AWS_WAITER_FAILED : AWS_WAITER_AGAIN;
}

/* What a wait for nothing says. */
static int aws_i_waited(aws_client *client, const char *name)
{
    const aws_call *call = &client->call;

    aws_i_failure_reset(client);
    client->failure.operation = name;
    client->failure.http_status = client->http.status;
    return aws_i_fail(client, AWS_REASON_WAITED, call->key ? call->key : call->bucket);
}

AWS_API int aws_wait(aws_client *client, const aws_waiter_kind *kind, const void *context,
                     aws_waiter *waiter)
{
    unsigned attempts = waiter->attempts ? waiter->attempts : kind->attempts;
    uint32_t delay = waiter->delay ? waiter->delay : kind->delay;
    int r, verdict;

    for (;;) {
        if (waiter->sleeping && aws_i_in_progress(client))
            return AWS_ERR_BUSY;
        if (waiter->sleeping && (r = aws_i_sleep_until(client, waiter->wake)) < 0) {
            waiter->sleeping = r == AWS_AGAIN;
            return r;
        }
        waiter->sleeping = 0;
        if ((r = kind->ask(client, context)) == AWS_AGAIN || r == AWS_ERR_BUSY)
            return r;
        verdict = r > 0 ? r : aws_i_verdict(client, kind->rules, r);
        waiter->asked++;
        if (verdict != AWS_WAITER_AGAIN || waiter->asked >= (attempts ? attempts : 20))
            break;
        waiter->sleeping = 1;
        waiter->wake = aws_i_ticks(client) + (delay ? delay : 5000);
    }
    waiter->asked = 0;
    if (verdict == AWS_WAITER_AGAIN)
        return aws_i_waited(client, kind->name);
    if (verdict == AWS_WAITER_FAILED)
        return r < 0 ? r : aws_i_waited(client, kind->name);
    if (!aws_i_in_progress(client))
        aws_i_failure_reset(client); /* an error, too, may be what was awaited */
    return 0;
}

/* ---- Why a signature was refused ---- */

/* Part of our canonical request from `skip` on: its size. */
static size_t aws_i_canonical_part(const aws_client *client, size_t skip, char *to, size_t room)
{
    aws_i_view view;
    aws_out out;

    aws_i_view_of(&view, client);
    aws_i_out(&out, to, room);
    out.skip = skip;
    aws_i_out_form(&out, &view, aws_i_canonical_form);
    return out.used;
}

/* Where the line begins that has the byte at `at`; its number, 1 the first one, in *line. */
static size_t aws_i_canonical_line(const aws_client *client, size_t at, unsigned *line)
{
    char part[64];
    size_t done = 0, start = 0, i, n;

    *line = 1;
    while (done < at && (n = aws_i_canonical_part(client, done, part,
                                                  aws_i_min(at - done, sizeof part))) != 0) {
        for (i = 0; i < n; i++)
            if (part[i] == '\n') {
                start = done + i + 1;
                ++*line;
            }
        done += n;
    }
    return start;
}

/* A header whose value nobody may see. */
static int aws_i_is_secret(const char *line)
{
    return strncmp(line, aws_i_text_token, 20) == 0 ||
           (strncmp(line, aws_i_text_token, 6) == 0 && aws_i_within(line, "-customer-key") != NULL);
}

/* Our line with the byte that differs, from a bit before it on; *shown is where that begins,
 * or SIZE_MAX: the name alone, the rest is secret. */
static void aws_i_show_line(aws_client *client, char *field, size_t room, size_t *shown)
{
    enum { BEFORE = 20 };
    size_t at = client->failure.signed_same, n;
    size_t start = aws_i_canonical_line(client, at, &client->failure.signed_line);

    n = aws_i_canonical_part(client, start, field, room - 1);
    field[n] = 0;
    field[strcspn(field, ":\n")] = 0;
    *shown = SIZE_MAX;
    if (aws_i_is_secret(field))
        return;
    *shown = at - start > BEFORE ? at - BEFORE : start;
    n = aws_i_canonical_part(client, *shown, field, room - 1);
    field[n] = 0;
    field[strcspn(field, "\n")] = 0;
}

/* The server's request differs from here on: its line begins as ours. */
static void aws_i_differs(aws_client *client)
{
    aws_failure *f = &client->failure;
    char ours[sizeof f->value];
    size_t shown;

    aws_i_show_line(client, ours, sizeof ours, &shown);
    aws_i_set(f->expected, sizeof f->expected, "");
    aws_i_append(f->expected, sizeof f->expected, ours,
                 shown == SIZE_MAX ? strlen(ours) : f->signed_same - shown);
    f->signed_end = shown == SIZE_MAX;
}

/* The server's line may be a secret one, of which ours isn't even the name: a header before it is
 * missing there. Of the name the last 20 bytes at least are shown. */
static void aws_i_hide_secret(aws_failure *f)
{
    static const char names[] = "security-token:\0customer-key:\0customer-key-md5:\0";
    const char *name, *at;

    for (name = names; *name; name += strlen(name) + 1)
        if ((at = aws_i_within(f->expected, name)) != NULL) {
            f->expected[(size_t)(at - f->expected) + strlen(name) - 1] = 0;
            f->signed_end = 1;
        }
}

/* A piece of the server's canonical request. */
static void aws_i_explain_text(aws_client *client, const char *text, size_t size)
{
    aws_failure *f = &client->failure;
    char ours[64];
    size_t n, i;

    while (size && !f->signed_line) {
        n = aws_i_canonical_part(client, f->signed_same, ours, aws_i_min(size, sizeof ours));
        for (i = 0; i < n && ours[i] == text[i]; i++)
            f->signed_same++;
        if (i < n || !n)
            aws_i_differs(client);
        text += i;
        size -= i;
    }
    if (!f->signed_line || f->signed_end)
        return;
    for (n = 0; n < size && text[n] != '\n'; n++)
        continue;
    aws_i_append(f->expected, sizeof f->expected, text, n);
    f->signed_end = n < size;
    aws_i_hide_secret(f);
}

AWS_API void aws_explain_signature(aws_client *client, const struct aws_xml *xml)
{
    aws_failure *f = &client->failure;
    char last[1];
    size_t shown;

    if (xml) {
        if (aws_i_equal(aws_i_xml_open_name(xml), "CanonicalRequest"))
            aws_i_explain_text(client, xml->text, xml->text_size);
        return;
    }
    if (f->signed_same && !f->signed_line && aws_i_canonical_part(client, f->signed_same, last, 1))
        aws_i_differs(client); /* the server's is shorter */
    if (f->signed_line) {
        f->reason = AWS_REASON_SIGNED_LINE;
        aws_i_show_line(client, f->value, sizeof f->value, &shown);
    }
}

/* ---- Presigning a client's call ---- */

/* A copy of the client, in which a call is entered and run up to where it would take the
 * connection: there its URL is written instead. */
typedef struct aws_i_presigning {
    aws_client copy;
    aws_i_item items[(size_t)AWS_I_ITEMS + AWS_I_PRESIGNED];
    uint32_t   seconds;
    aws_out    url;
    aws_client *client; /* the one copied */
    int        result;  /* what it came to, 0: it isn't asked for yet */
} aws_i_presigning;

/* What is signed in headers otherwise is no part of a presigned request. */
static void aws_i_drop_own_headers(aws_client *client)
{
    size_t i, kept = 0;

    for (i = 0; i < client->item_count; i++)
        if (client->items[i].kind <= AWS_I_HEADER_URI || client->items[i].kind == AWS_I_HEADER_HOST)
            client->items[kept++] = client->items[i];
    client->item_count = kept;
}

static void aws_i_presigned_call_value(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    if (!aws_i_out_presign_value(out, view, item))
        aws_i_client_value(out, view, item);
}

static const aws_i_source aws_i_presigned_call = {aws_i_client_item, aws_i_client_part,
                                                  aws_i_presigned_call_value};

/* For aws_client.save: the copy's call is complete and asks for the connection. */
static int aws_i_presign_call(void *context, int step, void *data)
{
    aws_i_presigning *p = (aws_i_presigning *)context;
    aws_client *copy = &p->copy;
    int is_signed = p->seconds != AWS_UNSIGNED;
    const char *values[AWS_I_PRESIGNED], *name = aws_i_presign_names;
    char number[11];
    aws_i_view view;
    int i;

    (void)step;
    (void)data;
    if (aws_i_key_empty(copy))
        p->result = aws_i_fail(copy, AWS_REASON_NO_KEY, NULL);
    if (p->result || (is_signed && (p->result = aws_i_express(copy, p->client)) != 0))
        return AWS_AGAIN;
    aws_i_drop_own_headers(copy);
    copy->payload_text = aws_i_text_unsigned;
    copy->item_room += AWS_I_PRESIGNED;
    aws_i_view_of(&view, copy);
    view.source = &aws_i_presigned_call;
    aws_i_presign_values(values, &view, p->seconds, number);
    for (i = 0; is_signed && i < AWS_I_PRESIGNED; i++, name += strlen(name) + 1) {
        if (i == 5 && copy->keys != &copy->session->keys)
            name = aws_i_presign_session;
        if (values[i])
            aws_call_query(copy, name, values[i]);
    }
    view.query_count = copy->query_count;
    view.item_count = copy->item_count;
    aws_out_text(&p->url, copy->endpoint_secure ? aws_i_text_https : aws_i_text_http);
    aws_i_out_host(&p->url, copy);
    aws_i_out_url(&p->url, &view, is_signed);
    p->result = (int)aws_i_int_max(p->url.length - 1);
    if (is_signed && p->seconds > AWS_I_WEEK) {
        p->result = aws_i_fail(copy, AWS_REASON_EXPIRES, NULL);
    } else if (p->url.length > p->url.room) {
        p->result = aws_i_fail(copy, AWS_REASON_ADDRESS_SIZE, NULL);
        copy->failure.needed = p->url.length;
    }
    return AWS_AGAIN;
}

/* Keys that are good now, which an idle client asks for: 0, AWS_AGAIN or an error. Nobody
 * replaces them until aws_i_release_keys. */
static int aws_i_presign_keys(aws_client *client)
{
    unsigned char state = client->state;
    int r = 0;

    if (!aws_i_in_progress(client)) {
        aws_i_failure_reset(client);
        client->failure.operation = "presigning";
        do
            r = aws_i_step_keys(client);
        while (r == AWS_AGAIN && (r = aws_i_wait(client)) == 0);
        client->state = state;
        if (r > 0)
            r = aws_i_now(client) ? 0 : aws_i_fail(client, -AWS_ERR_CLOCK, NULL);
    }
    if (r == 0 && !aws_i_now(client))
        r = AWS_ERR_CLOCK;
    if (r == 0 && (r = aws_i_hold_keys(client)) > 0)
        r = 0;
    return r == AWS_AGAIN ? r : aws_i_awaited(client, r);
}

AWS_API int aws_call_signing(aws_client *client, aws_signing *signing)
{
    const aws_keys *keys = &client->session->keys;
    int held = client->uses_keys, r = client->broken;

    memset(signing, 0, sizeof *signing);
    if (client->anonymous)
        return aws_i_fail(client, AWS_REASON_NO_KEYS, NULL);
    if (r < 0 || (r = aws_i_presign_keys(client)) < 0)
        return r;
    signing->access_key_id = keys->access_key_id;
    signing->secret_access_key = keys->secret_access_key;
    signing->session_token = keys->session_token;
    signing->region = client->region;
    signing->service = client->signing_name;
    signing->time = aws_i_now(client);
    if (!held)
        aws_i_release_keys(client);
    return 0;
}

static void aws_i_presign_copy(aws_i_presigning *p, aws_client *client)
{
    p->client = client;
    p->copy = *client;
    p->copy.no_wait = 1;
    p->copy.items = p->items;
    p->copy.item_room = AWS_I_ITEMS;
    p->copy.state = AWS_I_IDLE;
    p->copy.uses_keys = 0;
    p->copy.waits = 0;
    memset(&p->copy.connection, 0, sizeof p->copy.connection);
    p->copy.owner = p;
    p->copy.save = aws_i_presign_call;
}

AWS_API int aws_call_presign(aws_client *client, int (*make)(aws_client *copy, void *context),
                             void *context, uint32_t seconds, char *url, size_t size)
{
    aws_i_presigning p;
    int held = client->uses_keys, is_signed, r = client->broken;

    if (client->anonymous)
        seconds = AWS_UNSIGNED;
    is_signed = seconds != AWS_UNSIGNED;
    if (r < 0 || (is_signed && (r = aws_i_presign_keys(client)) < 0))
        return r;
    aws_i_presign_copy(&p, client);
    aws_date_text(is_signed ? aws_i_now(client) : 0, p.copy.date);
    p.seconds = seconds ? seconds : (uint32_t)AWS_I_HOUR;
    p.result = 0;
    aws_i_out(&p.url, url, size);
    r = make(&p.copy, context);
    if (is_signed && !held)
        aws_i_release_keys(client);
    if (p.result)
        r = p.result;
    else if (r >= 0 || r == AWS_AGAIN)
        r = aws_i_fail(&p.copy, -AWS_ERR_STATE, NULL);
    if (r < 0 && r != AWS_AGAIN && !aws_i_in_progress(client))
        client->failure = p.copy.failure;
    return r;
}

/* ---- Addresses that a program has to name ---- */

static void aws_i_sign_as(aws_client *client, const char *region, const char *service)
{
    if (!aws_i_equal(region, client->region) || !aws_i_equal(service, client->signing_name))
        client->key_day = UINT32_MAX;
    client->region = region;
    client->signing_name = service;
}

/* "s3-fips.dualstack.us-east-1.amazonaws.com" for "s3" */
static void aws_i_out_aws_host(aws_out *out, const aws_client *client, const char *name,
                               unsigned flags)
{
    aws_out_text(out, name);
    aws_out_text(out, flags & AWS_USE_FIPS ? "-fips" : "");
    aws_out_text(out, flags & AWS_USE_DUALSTACK ? ".dualstack" : "");
    aws_regional(client->region, out);
}

/* The length of a region's name before a "-fips" at its end, 0 if there is none. */
static size_t aws_i_before_fips(const char *region)
{
    size_t size = strlen(region);

    return size > 5 && strcmp(region + size - 5, "-fips") == 0 ? size - 5 : 0;
}

/* The flags, the environment's among them; regions that aren't any are put right. */
static unsigned aws_i_address_flags(aws_client *client, unsigned flags)
{
    static const char names[] = "AWS_USE_DUALSTACK_ENDPOINT\0AWS_USE_FIPS_ENDPOINT\0"
                                "AWS_S3_USE_ARN_REGION\0";
    static const unsigned char bits[] = {AWS_USE_DUALSTACK, AWS_USE_FIPS, AWS_USE_ARN_REGION};
    char region[sizeof client->regions[0].name];
    size_t size;
    int i;

    for (i = 0; i < 3; i++) {
        const char *name = aws_i_list_at(names, i);
        const char *value = client->port->env ? client->port->env(client->port, name) : NULL;
        if (value && aws_i_equal_nocase(value, aws_i_text_true))
            flags |= bits[i];
    }
    if (strncmp(aws_i_config(client)->region, "fips-", 5) == 0 ||
        aws_i_before_fips(aws_i_config(client)->region))
        flags |= AWS_USE_FIPS;
    if (strncmp(client->home, "fips-", 5) == 0)
        client->home += 5;
    if (aws_i_equal(client->home, "aws-global"))
        client->home = aws_i_text_us;
    if (client->region == aws_i_config(client)->region)
        client->region = client->home;
    if ((size = aws_i_before_fips(client->region)) > 0 && size < sizeof region) {
        memcpy(region, client->region, size);
        region[size] = 0;
        aws_i_remember_region(client, region);
    }
    return flags;
}

/* Which flags are left: some services have one host for several ways to reach it. */
static unsigned aws_i_odd_flags(const char *name, const char *region, unsigned flags)
{
    static const char gov[] = "dynamodb\0ec2\0kinesis\0logs\0monitoring\0sns\0sqs\0ssm\0sts\0";
    static const char others[] = "us-iso\0+\0eu-isoe-\0+\0eusc-\0+\0cn-\0c\0\0";
    char partition = *aws_i_partition(others, region);

    if (strncmp(region, "us-gov-", 7) == 0 && aws_i_list_find(gov, name) >= 0 &&
        (!(flags & AWS_USE_DUALSTACK) || aws_i_equal(name, "monitoring")))
        flags &= ~(unsigned)AWS_USE_FIPS;
    if (aws_i_equal(name, "secretsmanager") &&
        (!partition || (partition == 'c' && !(flags & AWS_USE_FIPS))))
        flags &= ~(unsigned)AWS_USE_DUALSTACK;
    return flags;
}

/* What stands between "iam" and the partition's name: of FIPS, of dual-stack, of both. */
static const char *aws_i_global_middle(const char *region, unsigned flags)
{
    static const char fips[] = "us-gov-\0.us-gov\0us-iso-\0.us-iso-east-1\0"
                               "us-isob-\0.us-isob-east-1\0\0";
    static const char dual[] = "us-gov-\0.us-gov\0us-iso\0\0eu-isoe-\0\0eusc-\0\0\0.global";
    static const char both[] = "us-gov-\0.us-gov\0us-iso\0\0eu-isoe-\0\0eusc-\0\0cn-\0\0\0.global";

    return aws_i_partition(!(flags & AWS_USE_DUALSTACK) ? fips : flags & AWS_USE_FIPS ? both : dual,
                           region);
}

/* "sqs-fips.us-east-1.api.aws". The odd ones are what botocore's rules say of the services here. */
static void aws_i_out_service_host(aws_out *out, const aws_service *service, const char *region,
                                   unsigned flags)
{
    static const char dual[] =
        "cn-\0.api.amazonwebservices.com.cn\0us-iso-\0.api.aws.ic.gov\0us-isob-\0.api.aws.scloud\0"
        "us-isof-\0.api.aws.hci.ic.gov\0eu-isoe-\0.api.cloud-aws.adc-e.uk\0"
        "eusc-\0.api.amazonwebservices.eu\0\0.api.aws";
    static const char data[] = "us-east-\0+\0us-west-\0+\0us-gov-\0+\0ca-central-\0+\0\0";
    const char *name = service->endpoint_prefix;
    int global = service->host == aws_global;

    flags = aws_i_odd_flags(name, region, flags);
    if (flags == AWS_USE_FIPS && aws_i_equal(name, "data-ats.iot") &&
        *aws_i_partition(data, region))
        name = "data.iot";
    aws_out_text(out, name);
    if (flags & AWS_USE_FIPS && !(global && strncmp(region, "us-gov-", 7) == 0))
        aws_out_text(out, "-fips");
    aws_out_text(out, global ? "" : ".");
    aws_out_text(out, global ? aws_i_global_middle(region, flags) : region);
    if (flags & AWS_USE_DUALSTACK)
        aws_out_text(out, aws_i_partition(dual, region));
    else
        aws_i_out_suffix(out, region);
}

AWS_API int aws_service_addresses(aws_client *client, unsigned flags, aws_out *out)
{
    flags = aws_i_address_flags(client, flags) & (AWS_USE_FIPS | AWS_USE_DUALSTACK);
    if (!flags)
        return 0;
    if (client->custom_endpoint || client->service->flags & AWS_SERVICE_S3) {
        aws_call_refuse(client, client->custom_endpoint ? AWS_REASON_ADDRESS_ENDPOINT
                                                        : AWS_REASON_ADDRESS_S3,
                        client->endpoint.host);
        return 0;
    }
    aws_i_out_service_host(out, client->service, client->region, flags);
    return 1;
}

typedef struct aws_i_slice {
    const char *at;
    size_t      size;
} aws_i_slice;

static int aws_i_slice_is(aws_i_slice slice, const char *text)
{
    return strlen(text) == slice.size && memcmp(slice.at, text, slice.size) == 0;
}

/* What an ARN of an access point says. */
typedef struct aws_i_arn {
    aws_i_slice partition, service, region, account, kind, outpost, name;
    const char *signing_name, *host;
} aws_i_arn;

/* The next part of an ARN. */
static aws_i_slice aws_i_arn_part(const char **at, const char *ends)
{
    aws_i_slice slice;

    slice.at = *at;
    slice.size = strcspn(*at, ends);
    *at += slice.size + ((*at)[slice.size] != 0);
    return slice;
}

/* 0 if it isn't one. */
static int aws_i_arn_parse(aws_i_arn *arn, const char *text)
{
    /* service, its name in the host, what the resource begins with */
    static const char rows[] = "s3\0s3-accesspoint\0accesspoint\0"
                               "s3-object-lambda\0s3-object-lambda\0accesspoint\0"
                               "s3-outposts\0s3-outposts\0outpost\0";
    const char *row = rows;

    memset(arn, 0, sizeof *arn);
    text += sizeof aws_i_text_arn - 1;
    arn->partition = aws_i_arn_part(&text, ":");
    arn->service = aws_i_arn_part(&text, ":");
    arn->region = aws_i_arn_part(&text, ":");
    arn->account = aws_i_arn_part(&text, ":");
    arn->kind = aws_i_arn_part(&text, ":/");
    while (*row && !aws_i_slice_is(arn->service, row))
        row = aws_i_list_at(row, 3);
    if (!*row || !aws_i_slice_is(arn->kind, aws_i_list_at(row, 2)))
        return 0;
    arn->signing_name = row;
    arn->host = aws_i_list_at(row, 1);
    if (aws_i_slice_is(arn->kind, "outpost")) {
        arn->outpost = aws_i_arn_part(&text, ":/");
        arn->kind = aws_i_arn_part(&text, ":/");
        if (!aws_i_is_label(arn->outpost.at, arn->outpost.size))
            return 0;
    }
    arn->name = aws_i_arn_part(&text, "");
    return aws_i_slice_is(arn->kind, "accesspoint") && arn->name.size &&
           aws_i_is_label(arn->account.at, arn->account.size);
}

/* Why the client can't go there, 0 it can. */
static int aws_i_arn_fault(const aws_client *client, const aws_i_arn *arn, unsigned flags)
{
    const char *region = client->region;
    const char *partition = strncmp(region, "cn-", 3) == 0       ? "aws-cn"
                            : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov"
                                                                 : "aws";

    if (!aws_i_slice_is(arn->partition, partition) || flags & AWS_USE_ACCELERATE)
        return AWS_REASON_ARN;
    if (!arn->region.size && aws_i_equal(arn->signing_name, "s3"))
        return AWS_REASON_ARN_GLOBAL;
    if (!aws_i_is_label(arn->region.at, arn->region.size) ||
        !aws_i_is_label(arn->name.at, arn->name.size) || arn->name.size + arn->account.size > 62)
        return AWS_REASON_ARN;
    if (!aws_i_slice_is(arn->region, region) && !(flags & AWS_USE_ARN_REGION))
        return AWS_REASON_ARN_REGION;
    if (flags & AWS_USE_DUALSTACK ? !aws_i_equal(arn->signing_name, "s3")
                                  : flags & AWS_USE_FIPS && arn->outpost.size)
        return AWS_REASON_ARN_HOST;
    return 0;
}

static int aws_i_arn_host(aws_client *client, unsigned flags, aws_out *out)
{
    const char *bucket = client->call.bucket;
    char region[64];
    aws_i_arn arn;
    int fault = aws_i_arn_parse(&arn, bucket) ? aws_i_arn_fault(client, &arn, flags)
                                              : (int)AWS_REASON_ARN;

    if (fault) {
        aws_call_refuse(client, fault, bucket);
        return 0;
    }
    if (!aws_i_slice_is(arn.region, client->region)) {
        memcpy(region, arn.region.at, arn.region.size); /* a label: at most 63 bytes */
        region[arn.region.size] = 0;
        aws_i_remember_region(client, region);
    }
    aws_i_sign_as(client, client->region, arn.signing_name);
    client->virtual_host = 1;
    aws_out_bytes(out, arn.name.at, arn.name.size);
    aws_out_text(out, "-");
    aws_out_bytes(out, arn.account.at, arn.account.size);
    aws_out_text(out, aws_i_text_dot);
    aws_out_bytes(out, arn.outpost.at, arn.outpost.size);
    aws_out_text(out, arn.outpost.size ? "." : "");
    if (client->custom_endpoint)
        aws_out_bytes(out, client->endpoint.host, client->endpoint.size);
    else
        aws_i_out_aws_host(out, client, arn.host, flags);
    return 1;
}

/* These are never accelerated. */
static int aws_i_accelerated(const aws_call *call)
{
    return call->bucket && !(call->flags & AWS_CALL_PATH_STYLE) &&
           !aws_i_equal(call->operation, "CreateBucket") &&
           !aws_i_equal(call->operation, "DeleteBucket");
}

static int aws_i_accelerate_host(aws_client *client, unsigned flags, aws_out *out)
{
    if (flags & AWS_USE_FIPS || strncmp(client->region, "cn-", 3) == 0 ||
        !aws_i_bucket_is_host(client, client->call.bucket)) {
        aws_call_refuse(client, AWS_REASON_ACCELERATE, client->call.bucket);
        return 0;
    }
    client->virtual_host = 1;
    aws_out_text(out, client->call.bucket);
    aws_out_text(out, ".s3-accelerate");
    aws_out_text(out, flags & AWS_USE_DUALSTACK ? ".dualstack" : "");
    aws_out_text(out, ".amazonaws.com");
    return 1;
}

/* A directory bucket: NAME--ZONE--x-s3. Its zone, size 0 if there is none; NULL: it is none. */
static const char *aws_i_express_zone(const char *bucket, size_t *size)
{
    static const char suffix[] = "--x-s3";
    size_t length = strlen(bucket), end = length - (sizeof suffix - 1), at;

    if (length < sizeof suffix || strcmp(bucket + end, suffix) != 0)
        return NULL;
    for (at = end - 1; at && strncmp(bucket + at - 1, "--", 2) != 0; at--)
        continue;
    *size = at > 1 ? end - (at + 1) : 0;
    return bucket + at + 1;
}

/* What is done to directory buckets themselves has an endpoint of its own. */
static int aws_i_express_control(const aws_call *call)
{
    const char *name = call->operation;

    return (aws_i_within(name, aws_i_text_bucket) || aws_i_within(name, "PublicAccessBlock")) &&
           !aws_i_within(name, "Abac") && !aws_i_equal(name, "HeadBucket");
}

static int aws_i_express_host(aws_client *client, const char *zone, size_t size, unsigned flags,
                              aws_out *out)
{
    const char *bucket = client->call.bucket;

    aws_i_sign_as(client, client->region, "s3express");
    if (flags & AWS_USE_ACCELERATE || !aws_i_is_label(zone, size) ||
        !aws_i_bucket_is_host(client, bucket)) {
        aws_call_refuse(client, flags & AWS_USE_ACCELERATE ? AWS_REASON_ACCELERATE
                                                           : AWS_REASON_BUCKET_NAME, bucket);
        return 0;
    }
    client->virtual_host = !aws_i_express_control(&client->call);
    if (client->custom_endpoint) {
        client->virtual_host &= client->custom_endpoint != AWS_I_ENDPOINT_IP &&
                                aws_i_config(client)->addressing != AWS_ADDRESSING_PATH;
        return 0;
    }
    if (!client->virtual_host) {
        aws_i_out_aws_host(out, client, "s3express-control", flags);
        return 1;
    }
    aws_out_text(out, bucket);
    aws_out_text(out, flags & AWS_USE_FIPS ? ".s3express-fips-" : ".s3express-");
    aws_out_bytes(out, zone, size);
    aws_i_out_aws_host(out, client, "", flags & AWS_USE_DUALSTACK);
    return 1;
}

AWS_API int aws_s3_addresses(aws_client *client, unsigned flags, aws_out *out)
{
    const aws_call *call = &client->call;
    const char *zone;
    size_t size;
    int global;

    if (!(client->service->flags & AWS_SERVICE_S3))
        return aws_service_addresses(client, flags, out);
    flags = aws_i_address_flags(client, flags);
    global = aws_i_equal(aws_i_config(client)->region, "aws-global") &&
             aws_i_equal(client->region, aws_i_text_us) &&
             !(flags & (AWS_USE_FIPS | AWS_USE_DUALSTACK));
    if (client->custom_endpoint && flags & (AWS_USE_FIPS | AWS_USE_DUALSTACK | AWS_USE_ACCELERATE))
        aws_call_refuse(client, AWS_REASON_ADDRESS_ENDPOINT, client->endpoint.host);
    else if (flags & AWS_USE_FIPS && strncmp(client->region, "cn-", 3) == 0)
        aws_call_refuse(client, AWS_REASON_ADDRESS_FIPS, client->region);
    if (call->bucket && aws_i_is_arn(call->bucket))
        return aws_i_arn_host(client, flags, out);
    if (call->bucket && (zone = aws_i_express_zone(call->bucket, &size)) != NULL)
        return aws_i_express_host(client, zone, size, flags, out);
    if (aws_i_equal(call->operation, "ListDirectoryBuckets") && !client->custom_endpoint) {
        aws_i_sign_as(client, client->region, "s3express");
        aws_i_out_aws_host(out, client, "s3express-control", flags);
        return 1;
    }
    aws_i_sign_as(client, client->region, client->service->signing_name);
    if (client->custom_endpoint)
        return 0;
    if (flags & AWS_USE_ACCELERATE && aws_i_accelerated(call))
        return aws_i_accelerate_host(client, flags, out);
    if (client->virtual_host) {
        aws_out_text(out, call->bucket);
        aws_out_text(out, aws_i_text_dot);
    }
    if (global) {
        aws_out_text(out, client->service->endpoint_prefix);
        aws_out_text(out, ".amazonaws.com");
    } else {
        aws_i_out_aws_host(out, client, client->service->endpoint_prefix, flags);
    }
    return 1;
}

/* ---- Memory and endpoint of a client ---- */

static const char *aws_i_or(const char *value, const char *other)
{
    return value ? value : other;
}

/* Members are aligned as the strictest type in BearSSL's contexts and ours. */
enum {
    AWS_I_ALIGN = 8,
    AWS_I_AHEAD = 512,
    AWS_I_SCRATCH = 2560,
    AWS_I_OUT_HTTP = 64,
    AWS_I_OUT_TLS = 512 + 85,         /* a record of 512 bytes and BearSSL's overhead */
    AWS_I_RECORD_SMALL = 512 + 325,
    AWS_I_RECORD_FULL = 16384 + 325,
    AWS_I_OUT_MAX = 16384 + 85,       /* more is of no use */
    AWS_I_AHEAD_MAX = sizeof(int) > 2 ? 65536 : 32512, /* what is received is an int */
    AWS_I_SCRATCH_MORE = 4096
};

static size_t aws_i_align(size_t size)
{
    return (size + AWS_I_ALIGN - 1) / AWS_I_ALIGN * AWS_I_ALIGN;
}

static size_t aws_i_scratch_size(int tls)
{
#ifndef AWS_NO_TLS
    if (tls && sizeof(aws_i_x509) > AWS_I_SCRATCH)
        return sizeof(aws_i_x509);
#endif
    (void)tls;
    return AWS_I_SCRATCH;
}

static size_t aws_i_tls_size(int tls)
{
#ifndef AWS_NO_TLS
    if (tls)
        return aws_i_align(sizeof(aws_i_tls));
#endif
    (void)tls;
    return 0;
}

static size_t aws_i_ranges_size(int tls)
{
#ifndef AWS_NO_TLS
    if (tls)
        return aws_i_align(sizeof(aws_i_ranges));
#endif
    (void)tls;
    return 0;
}

/* What has a fixed size: items, hash, connection area, TLS contexts, scratch. */
static size_t aws_i_fixed(const aws_port *port, int tls)
{
    return AWS_I_ALIGN + aws_i_align(AWS_I_ITEMS * sizeof(aws_i_item)) +
           aws_i_align(sizeof(aws_i_sha256)) + aws_i_align(sizeof(aws_i_sum)) +
           aws_i_align(sizeof(aws_i_key_states)) +
           aws_i_align(port ? port->connection_size : 128) +
           aws_i_tls_size(tls) + aws_i_ranges_size(tls) + aws_i_align(aws_i_scratch_size(tls));
}

AWS_API size_t aws_client_memory(const aws_port *port, int kind)
{
    size_t size;

#ifdef AWS_I_DEFAULT_PORT
    if (!port)
        port = AWS_I_DEFAULT_PORT();
#endif
    size = aws_i_fixed(port, kind != AWS_MEMORY_HTTP) + AWS_I_AHEAD;
    if (kind == AWS_MEMORY_HTTP)
        return size + AWS_I_OUT_HTTP;
    return size + AWS_I_OUT_TLS + (kind == AWS_MEMORY_TLS ? AWS_I_RECORD_FULL : AWS_I_RECORD_SMALL);
}

/* Take size bytes of the block. */
static unsigned char *aws_i_carve(unsigned char **at, size_t size)
{
    unsigned char *taken = *at;

    *at += size;
    return taken;
}

/* Divide what is left beyond the minimum: records first, then sending and read-ahead alike. */
static void aws_i_divide(aws_client *client, unsigned char *at, size_t left, int tls)
{
    aws_i_connection *n = &client->connection;
    size_t more;

    n->ahead_size = AWS_I_AHEAD;
    n->out_size = tls ? AWS_I_OUT_TLS : AWS_I_OUT_HTTP;
    left -= n->ahead_size + n->out_size;
#ifndef AWS_NO_TLS
    n->record_size = tls ? aws_i_min(left, AWS_I_RECORD_FULL) : 0;
    left -= n->record_size;
#endif
    more = aws_i_min(left / 8, AWS_I_SCRATCH_MORE);
    client->scratch_size += more;
    left -= more;
    more = aws_i_min(left / 2, AWS_I_OUT_MAX - n->out_size);
    n->out_size += more;
    left -= more;
    n->ahead_size += aws_i_min(left, AWS_I_AHEAD_MAX - AWS_I_AHEAD);
    client->scratch = aws_i_carve(&at, client->scratch_size);
    n->ahead = aws_i_carve(&at, n->ahead_size);
#ifndef AWS_NO_TLS
    n->record = aws_i_carve(&at, n->record_size);
#endif
    n->out = at;
}

/* The part that is lent to credential sources: what it takes at least. */
static size_t aws_i_connection_size(const aws_port *port, int tls)
{
    return aws_i_align(port->connection_size) + aws_i_tls_size(tls) +
           aws_i_align(aws_i_scratch_size(tls)) + AWS_I_AHEAD +
           (tls ? AWS_I_OUT_TLS + AWS_I_RECORD_SMALL : AWS_I_OUT_HTTP);
}

static void aws_i_carve_connection(aws_client *client, unsigned char *at, unsigned char *end,
                                   int tls)
{
    client->connection.area = aws_i_carve(&at, aws_i_align(client->port->connection_size));
#ifndef AWS_NO_TLS
    client->connection.tls = aws_i_carve(&at, aws_i_tls_size(tls));
#endif
    client->scratch_size = aws_i_align(aws_i_scratch_size(tls));
    aws_i_divide(client, at, (size_t)(end - at) - client->scratch_size, tls);
}

/* AWS_ENDPOINT_URL_<ID>, then AWS_ENDPOINT_URL. */
static const char *aws_i_env_endpoint(const aws_port *port, const char *id)
{
    static const char prefix[] = "AWS_ENDPOINT_URL_";
    const char *url;
    char name[64];
    size_t i, length = sizeof prefix - 1;

    memcpy(name, prefix, length);
    for (i = 0; id[i] && length + 1 < sizeof name; i++) {
        int c = (unsigned char)id[i];
        name[length++] = (char)(aws_i_alnum(c) ? (c >= 'a' && c <= 'z' ? c - 32 : c) : '_');
    }
    name[length] = 0;
    url = aws_i_env(port, name);
    return url ? url : aws_i_env(port, "AWS_ENDPOINT_URL");
}

static int aws_i_init_endpoint(aws_client *client)
{
    const char *url = aws_i_config(client)->endpoint;
    aws_i_endpoint *end = &client->endpoint;

    end->secure = 1;
    end->port = 443;
    if (!url && aws_i_features(client)->environment)
        url = aws_i_features(client)->environment(client->session, client->service->id);
    if (!url && aws_i_config(client)->endpoint_of)
        url = aws_i_config(client)->endpoint_of(aws_i_config(client), client->service->id);
    if (url && !aws_i_endpoint_parse(url, end))
        return aws_i_fail(client, AWS_REASON_ENDPOINT, url);
    client->endpoint_secure = (unsigned char)end->secure;
    client->custom_endpoint = (unsigned char)end->kind;
    return 0;
}

/* What a client has of its session and service. */
static AWS_I_APART void aws_i_client_start(aws_client *client, aws_session *session,
                                           const aws_service *service)
{
    memset(client, 0, sizeof *client);
    client->session = session;
    client->service = service;
    client->signing_name = service->signing_name;
    client->keys = &session->keys;
    client->port = session->config.port;
    client->region = client->home = session->config.region;
    client->key_day = UINT32_MAX;
    client->failure.operation = "";
    client->no_wait = session->config.no_wait != 0;
    client->anonymous = session->config.anonymous != 0;
}

/* ---- Credential sources: environment, fixed keys, chains ---- */

static void aws_i_env_keys(const aws_port *port, aws_keys *keys)
{
    keys->access_key_id = aws_i_env(port, "AWS_ACCESS_KEY_ID");
    keys->secret_access_key = aws_i_env(port, "AWS_SECRET_ACCESS_KEY");
    keys->session_token = aws_i_or(aws_i_env(port, "AWS_SESSION_TOKEN"),
                                   aws_i_env(port, "AWS_SECURITY_TOKEN"));
}

static int aws_i_environment_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    const aws_port *port = client->port;
    const char *expiration = aws_i_env(port, "AWS_CREDENTIAL_EXPIRATION");

    (void)provider;
    aws_i_env_keys(port, keys);
    if (!keys->access_key_id)
        return AWS_KEYS_NONE;
    keys->expiration = expiration ? aws_date_parse(expiration) : 0;
    if (keys->expiration < 0)
        return aws_i_fail(client, AWS_REASON_KEYS_DATE, "AWS_CREDENTIAL_EXPIRATION");
    return 0;
}

AWS_API const aws_provider *aws_keys_environment(void)
{
    static const aws_provider provider = {aws_i_environment_get, NULL};

    return &provider;
}

static int aws_i_fixed_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    (void)client;
    *keys = *((const aws_keys_fixed *)provider->context)->keys;
    return keys->access_key_id || keys->secret_access_key ? 0 : AWS_KEYS_NONE;
}

AWS_API const aws_provider *aws_keys_fixed_init(aws_keys_fixed *source, const aws_keys *keys)
{
    source->provider.get = aws_i_fixed_get;
    source->provider.context = source;
    source->keys = keys;
    return &source->provider;
}

static int aws_i_chain_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_chain *chain = (aws_keys_chain *)provider->context;
    int r;

    for (; chain->at < chain->count; chain->at++) {
        r = chain->sources[chain->at]->get(chain->sources[chain->at], client, keys);
        if (r <= 0)
            return r;
        memset(keys, 0, sizeof *keys);
    }
    chain->at = 0; /* next time one of them may be set up */
    return AWS_KEYS_NONE;
}

AWS_API const aws_provider *aws_keys_chain_init(aws_keys_chain *chain,
                                                const aws_provider *const *sources, size_t count)
{
    chain->provider.get = aws_i_chain_get;
    chain->provider.context = chain;
    chain->sources = sources;
    chain->count = count;
    chain->at = 0;
    return &chain->provider;
}

/* ---- Shared files: profiles ---- */

/* A physical line without the white space around it. */
typedef struct aws_i_line {
    const char *text;
    size_t      size, indent;
} aws_i_line;

/* A text of sections and options, as Python's configparser and botocore read it. */
typedef struct aws_i_ini {
    const char *at, *end; /* what is left */
    const char *section, *key;
    const char *value; /* of the option just read, through all its lines */
    size_t      section_size, key_size, value_size;
    unsigned    line;
    int         block; /* the value begins on a line of its own: a nested block */
} aws_i_ini;

static int aws_i_ini_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static void aws_i_ini_trim(const char **text, size_t *size)
{
    while (*size && aws_i_ini_blank((unsigned char)(*text)[*size - 1]))
        --*size;
    for (; *size && aws_i_ini_blank((unsigned char)**text); ++*text)
        --*size;
}

static int aws_i_line_next(aws_i_ini *ini, aws_i_line *line)
{
    const char *start = ini->at;

    if (ini->at == ini->end)
        return 0;
    while (ini->at < ini->end && *ini->at != '\n' && *ini->at != '\r')
        ini->at++;
    line->text = start;
    line->size = (size_t)(ini->at - start);
    aws_i_ini_trim(&line->text, &line->size);
    line->indent = (size_t)(line->text - start);
    if (ini->at < ini->end && *ini->at++ == '\r' && ini->at < ini->end && *ini->at == '\n')
        ini->at++;
    ini->line++;
    return 1;
}

/* Blank lines and comments; they don't end a value either. */
static int aws_i_line_passed(const aws_i_line *line)
{
    return !line->size || line->text[0] == '#' || line->text[0] == ';';
}

/* Take the value's further lines: those that are indented more than its first one. */
static void aws_i_ini_continue(aws_i_ini *ini, size_t indent)
{
    aws_i_line line;

    for (;;) {
        aws_i_ini before = *ini;
        do {
            if (!aws_i_line_next(ini, &line)) {
                *ini = before;
                return;
            }
        } while (aws_i_line_passed(&line));
        if (line.indent <= indent) {
            *ini = before;
            return;
        }
        if (!ini->value_size) {
            ini->block = 1;
            ini->value = line.text;
        }
        ini->value_size = (size_t)(line.text + line.size - ini->value);
    }
}

/* The next option: 1; a section: 2; 0 at the end, AWS_ERR_PARAM at a malformed line. */
static int aws_i_ini_next(aws_i_ini *ini)
{
    aws_i_line line;

    while (aws_i_line_next(ini, &line)) {
        size_t size = line.size;

        if (aws_i_line_passed(&line))
            continue;
        while (line.text[0] == '[' && size && line.text[size - 1] != ']')
            size--;
        if (line.text[0] == '[' && size > 2) {
            ini->section = line.text + 1;
            ini->section_size = size - 2;
            return 2;
        }
        for (size = 0; size < line.size && line.text[size] != '=' && line.text[size] != ':';)
            size++;
        ini->key = line.text;
        ini->key_size = size;
        aws_i_ini_trim(&ini->key, &ini->key_size);
        if (!ini->section || size == line.size || !ini->key_size)
            return AWS_ERR_PARAM;
        ini->value = line.text + size + 1;
        ini->value_size = line.size - size - 1;
        ini->block = 0;
        aws_i_ini_trim(&ini->value, &ini->value_size);
        aws_i_ini_continue(ini, line.indent);
        return 1;
    }
    return 0;
}

static void aws_i_ini_init(aws_i_ini *ini, const char *text, size_t size)
{
    memset(ini, 0, sizeof *ini);
    ini->at = text;
    ini->end = text ? text + size : text;
}

static int aws_i_ini_equal(const char *text, size_t size, const char *other)
{
    return strlen(other) == size && (!size || memcmp(text, other, size) == 0);
}

/* Whether the section is [word name], [word "name"], or, without a word, [name]. */
static int aws_i_section_is(const aws_i_ini *ini, const char *word, const char *name)
{
    const char *text = ini->section;
    size_t size = ini->section_size, length = word ? strlen(word) : 0;

    if (!word)
        return aws_i_ini_equal(text, size, name);
    if (aws_i_equal(word, "profile") && aws_i_equal(name, "default") &&
        aws_i_ini_equal(text, size, name))
        return 1;
    if (size <= length || memcmp(text, word, length) != 0 ||
        !aws_i_ini_blank((unsigned char)text[length]))
        return 0;
    text += length;
    size -= length;
    aws_i_ini_trim(&text, &size);
    if (size > 1 && (text[0] == '"' || text[0] == '\'') && text[size - 1] == text[0]) {
        text++;
        size -= 2;
    } else if (strchr(name, ' ')) {
        return 0; /* more than one word: not a profile to botocore either */
    }
    return aws_i_ini_equal(text, size, name);
}

/* Option names are the same in any case. */
static int aws_i_key_is(const char *text, size_t size, const char *name)
{
    while (size && *name &&
           aws_i_lower((unsigned char)*text) == aws_i_lower((unsigned char)*name)) {
        text++;
        name++;
        size--;
    }
    return !size && !*name;
}

/* The value of a name in a nested block: 1, 0, AWS_ERR_PARAM. */
static int aws_i_block_value(const aws_i_ini *block, const char *name, const char **value,
                             size_t *size)
{
    aws_i_line line;
    aws_i_ini ini;
    int have = 0;

    aws_i_ini_init(&ini, block->value, block->value_size);
    while (aws_i_line_next(&ini, &line)) {
        const char *equals;
        size_t left = line.size;

        if (aws_i_line_passed(&line))
            continue;
        equals = (const char *)memchr(line.text, '=', line.size);
        if (!equals)
            return AWS_ERR_PARAM;
        left -= (size_t)(equals - line.text) + 1;
        line.size = (size_t)(equals - line.text);
        aws_i_ini_trim(&line.text, &line.size);
        if (aws_i_ini_equal(line.text, line.size, name)) {
            *value = equals + 1;
            *size = left;
            aws_i_ini_trim(value, size);
            have = 1;
        }
    }
    return have;
}

/* One of the files, and what is looked for in it. */
typedef struct aws_i_lookup {
    const char *text;
    size_t      size;
    const char *word, *name; /* of the section */
    int         exists;      /* there is such a section */
    unsigned    line;        /* that is malformed */
} aws_i_lookup;

/* Find an option of a section: 1, 0, AWS_ERR_PARAM. Of [default] and [profile default] the last one
 * counts. key NULL: only whether the section exists. */
static int aws_i_lookup_key(aws_i_lookup *lookup, const char *key, aws_i_ini *found)
{
    const char *section = NULL, *value;
    size_t length = 0, size;
    aws_i_ini ini;
    int r, have = 0, inside = 0;

    aws_i_ini_init(&ini, lookup->text, lookup->size);
    lookup->exists = 0;
    while ((r = aws_i_ini_next(&ini)) > 0) {
        if (r == 2)
            inside = aws_i_section_is(&ini, lookup->word, lookup->name);
        if (r == 2 && inside) {
            if (section && length == ini.section_size && !memcmp(section, ini.section, length))
                break; /* twice */
            section = ini.section;
            length = ini.section_size;
            lookup->exists = 1;
            have = 0;
        }
        if (r == 1 && ini.block && aws_i_block_value(&ini, "", &value, &size) < 0)
            break;
        if (r == 1 && inside && key && aws_i_key_is(ini.key, ini.key_size, key)) {
            if (have++)
                break;
            *found = ini;
        }
    }
    lookup->line = ini.line;
    return r ? AWS_ERR_PARAM : have;
}

/* A value as Python has it: its lines without indentation and comments, joined by line feeds. */
static void aws_i_out_lines(aws_out *out, const char *value, size_t size)
{
    aws_i_line line;
    aws_i_ini ini;
    int first = 1;

    aws_i_ini_init(&ini, value, size);
    while (aws_i_line_next(&ini, &line)) {
        if (!first && line.size && aws_i_line_passed(&line))
            continue;
        aws_out_text(out, first ? "" : "\n");
        aws_out_bytes(out, line.text, line.size);
        first = 0;
    }
}

/* ---- Shared files: what a profile means ---- */

typedef struct aws_i_reader {
    aws_settings *settings;
    aws_i_lookup  config, credentials;
    aws_out       out; /* into the caller's memory */
    int           code;
} aws_i_reader;

static int aws_i_reader_fail(aws_i_reader *reader, int reason, const char *value)
{
    if (!reader->code) {
        reader->code = -(reason % 32);
        reader->settings->reason = reason;
        aws_i_set(reader->settings->value, sizeof reader->settings->value, value);
    }
    return reader->code;
}

/* Look in one file; a malformed one ends it all. */
static int aws_i_reader_find(aws_i_reader *reader, aws_i_lookup *lookup, const char *profile,
                             const char *key, aws_i_ini *found)
{
    int r;

    lookup->name = profile;
    if (reader->code)
        return 0;
    r = aws_i_lookup_key(lookup, key, found);
    if (r >= 0)
        return r;
    reader->settings->file = lookup == &reader->config ? "config" : "credentials";
    reader->settings->line = lookup->line;
    aws_i_reader_fail(reader, AWS_REASON_PROFILE_FILE, reader->settings->file);
    return 0;
}

/* In both: the credentials file counts more. */
static int aws_i_reader_merged(aws_i_reader *reader, const char *profile, const char *key,
                               aws_i_ini *found)
{
    aws_i_ini other;
    int in_config = aws_i_reader_find(reader, &reader->config, profile, key, found);

    if (!aws_i_reader_find(reader, &reader->credentials, profile, key, &other))
        return in_config;
    *found = other;
    return 1;
}

/* Keep a text in the memory. */
static const char *aws_i_reader_keep(aws_i_reader *reader, const char *text, size_t size)
{
    const char *kept = (const char *)reader->out.to + reader->out.used;

    aws_i_out_lines(&reader->out, text, size);
    aws_out_bytes(&reader->out, "", 1);
    if (reader->out.length > reader->out.room && !reader->code)
        reader->code = AWS_ERR_MEMORY;
    return reader->code ? NULL : kept;
}

static const char *aws_i_reader_text(aws_i_reader *reader, const char *profile, const char *key)
{
    aws_i_ini found;

    if (!aws_i_reader_merged(reader, profile, key, &found) || found.block)
        return NULL;
    return aws_i_reader_keep(reader, found.value, found.value_size);
}

/* A profile has the key, whatever its value. */
static int aws_i_reader_has(aws_i_reader *reader, const char *profile, const char *key)
{
    aws_i_ini found;

    return aws_i_reader_merged(reader, profile, key, &found);
}

static int aws_i_reader_exists(aws_i_reader *reader, const char *profile)
{
    aws_i_reader_has(reader, profile, NULL);
    return reader->config.exists || reader->credentials.exists;
}

static int aws_i_reader_static(aws_i_reader *reader, const char *profile)
{
    return aws_i_reader_has(reader, profile, "aws_access_key_id") ||
           aws_i_reader_has(reader, profile, "aws_secret_access_key");
}

static int aws_i_reader_assumes(aws_i_reader *reader, const char *profile)
{
    return aws_i_reader_has(reader, profile, "role_arn") &&
           !aws_i_reader_has(reader, profile, "web_identity_token_file");
}

static void aws_i_reader_role(aws_i_reader *reader, const char *profile, aws_role *role)
{
    role->arn = aws_i_reader_text(reader, profile, "role_arn");
    role->session_name = aws_i_reader_text(reader, profile, "role_session_name");
    role->external_id = aws_i_reader_text(reader, profile, "external_id");
    role->duration = aws_i_reader_text(reader, profile, "duration_seconds");
    if (aws_i_reader_has(reader, profile, "mfa_serial"))
        aws_i_reader_fail(reader, AWS_REASON_PROFILE_MFA, profile);
}

/* Keys that stand in one of the files: 1 or 0. */
static int aws_i_reader_keys(aws_i_reader *reader, aws_i_lookup *lookup, const char *profile)
{
    static const char names[] = "aws_secret_access_key\0aws_security_token\0aws_session_token\0";
    aws_keys *keys = &reader->settings->keys;
    aws_i_ini found;

    if (!aws_i_reader_find(reader, lookup, profile, "aws_access_key_id", &found))
        return 0;
    keys->access_key_id = aws_i_reader_keep(reader, found.value, found.value_size);
    if (aws_i_reader_find(reader, lookup, profile, names, &found))
        keys->secret_access_key = aws_i_reader_keep(reader, found.value, found.value_size);
    else
        aws_i_reader_fail(reader, AWS_REASON_PROFILE_SECRET, profile);
    if (aws_i_reader_find(reader, lookup, profile, aws_i_list_at(names, 1), &found) ||
        aws_i_reader_find(reader, lookup, profile, aws_i_list_at(names, 2), &found))
        keys->session_token = aws_i_reader_keep(reader, found.value, found.value_size);
    return 1;
}

/* Keys of a profile without assuming a role: AWS_FROM_*. */
static unsigned aws_i_reader_from(aws_i_reader *reader, const char *profile)
{
    aws_settings *s = reader->settings;

    s->token_file = aws_i_reader_text(reader, profile, "web_identity_token_file");
    if (s->token_file) {
        s->web_role.arn = aws_i_reader_text(reader, profile, "role_arn");
        s->web_role.session_name = aws_i_reader_text(reader, profile, "role_session_name");
        if (!s->web_role.arn)
            aws_i_reader_fail(reader, AWS_REASON_PROFILE_ROLE, profile);
        return AWS_FROM_WEB_IDENTITY;
    }
    if (aws_i_reader_keys(reader, &reader->credentials, profile))
        return AWS_FROM_CREDENTIALS;
    s->process = aws_i_reader_text(reader, profile, "credential_process");
    if (s->process)
        return AWS_FROM_PROCESS;
    return aws_i_reader_keys(reader, &reader->config, profile) ? AWS_FROM_CONFIG : AWS_FROM_NOTHING;
}

/* credential_source's value. */
static unsigned aws_i_reader_named(aws_i_reader *reader, const char *name)
{
    static const char names[] = "Environment\0EcsContainer\0Ec2InstanceMetadata\0";
    int index = name ? aws_i_list_find(names, name) : -1;

    if (index < 0) {
        aws_i_reader_fail(reader, AWS_REASON_PROFILE_NAMED, name);
        return AWS_FROM_NOTHING;
    }
    return (unsigned)(AWS_FROM_ENVIRONMENT + index);
}

/* Whether source_profile leads in a circle. A profile may name itself for the keys it has. */
static int aws_i_reader_loops(aws_i_reader *reader, const char *const *visited, size_t count,
                              const char *next)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (aws_i_equal(visited[i], next))
            return i + 1 != count || !aws_i_reader_static(reader, next);
    return 0;
}

/* Follow source_profile from role to role to where the first keys come from. */
static void aws_i_reader_roles(aws_i_reader *reader, const char *profile)
{
    aws_settings *s = reader->settings;
    const char *visited[AWS_ROLES + 1];
    const char *source, *named;

    visited[0] = profile;
    while (!reader->code) {
        if (s->role_count == AWS_ROLES) {
            aws_i_reader_fail(reader, AWS_REASON_PROFILE_DEPTH, profile);
            return;
        }
        memmove(s->roles + 1, s->roles, s->role_count * sizeof *s->roles);
        memset(s->roles, 0, sizeof *s->roles);
        aws_i_reader_role(reader, profile, s->roles);
        s->role_count++;
        source = aws_i_reader_text(reader, profile, "source_profile");
        named = aws_i_reader_text(reader, profile, "credential_source");
        if (!source == !named) {
            aws_i_reader_fail(reader, AWS_REASON_PROFILE_SOURCE, profile);
            return;
        }
        if (named) {
            s->from = aws_i_reader_named(reader, named);
            return;
        }
        if (!aws_i_reader_exists(reader, source)) {
            aws_i_reader_fail(reader, AWS_REASON_PROFILE_MISSING, source);
            return;
        }
        if (aws_i_reader_loops(reader, visited, s->role_count, source)) {
            aws_i_reader_fail(reader, AWS_REASON_PROFILE_LOOP, source);
            return;
        }
        visited[s->role_count] = source;
        profile = source;
        if (aws_i_reader_static(reader, profile) || !aws_i_reader_assumes(reader, profile))
            break;
    }
    s->from = aws_i_reader_from(reader, profile);
    if (!s->from)
        aws_i_reader_fail(reader, AWS_REASON_PROFILE_EMPTY, profile);
}

/* The endpoint_url of each service in [services name]. */
static void aws_i_reader_endpoints(aws_i_reader *reader, const char *name)
{
    aws_settings *s = reader->settings;
    const char *first = NULL, *kept, *url;
    size_t size;
    aws_i_ini ini;
    int r;

    aws_i_ini_init(&ini, reader->config.text, reader->config.size);
    while (!reader->code && (r = aws_i_ini_next(&ini)) > 0) {
        if (r == 2 || !aws_i_section_is(&ini, "services", name) || !ini.block ||
            aws_i_block_value(&ini, "endpoint_url", &url, &size) <= 0)
            continue;
        kept = aws_i_reader_keep(reader, ini.key, ini.key_size);
        aws_i_reader_keep(reader, url, size);
        first = first ? first : kept;
    }
    if (first)
        aws_i_reader_keep(reader, "", 0);
    s->endpoints = reader->code ? NULL : first;
}

static void aws_i_reader_settings(aws_i_reader *reader, const char *profile)
{
    aws_settings *s = reader->settings;
    const char *value;
    size_t size;
    aws_i_ini found;

    s->region = aws_i_reader_text(reader, profile, "region");
    s->ca_bundle = aws_i_reader_text(reader, profile, "ca_bundle");
    s->retry_mode = aws_i_reader_text(reader, profile, "retry_mode");
    s->max_attempts = aws_i_reader_text(reader, profile, "max_attempts");
    s->endpoint_url = aws_i_reader_text(reader, profile, "endpoint_url");
    if (aws_i_reader_merged(reader, profile, "s3", &found) && found.block &&
        aws_i_block_value(&found, "addressing_style", &value, &size) > 0)
        s->addressing_style = aws_i_reader_keep(reader, value, size);
    value = aws_i_reader_text(reader, profile, "services");
    if (value)
        aws_i_reader_endpoints(reader, value);
}

static void aws_i_reader_init(aws_i_reader *reader, const aws_files *files)
{
    memset(reader, 0, sizeof *reader);
    reader->config.text = files->config;
    reader->config.size = files->config_size;
    reader->config.word = "profile";
    reader->credentials.text = files->credentials;
    reader->credentials.size = files->credentials_size;
}

AWS_API int aws_settings_read(aws_settings *settings, const aws_files *files, const char *profile,
                              void *memory, size_t size)
{
    aws_i_reader reader;

    memset(settings, 0, sizeof *settings);
    aws_i_reader_init(&reader, files);
    reader.settings = settings;
    aws_i_out(&reader.out, memory, size);
    profile = profile ? profile : "default";
    settings->profile = aws_i_reader_keep(&reader, profile, strlen(profile));
    if (!aws_i_reader_exists(&reader, profile) && !aws_i_equal(profile, "default"))
        aws_i_reader_fail(&reader, AWS_REASON_PROFILE_MISSING, profile);
    aws_i_reader_settings(&reader, profile);
    if (aws_i_reader_assumes(&reader, profile))
        aws_i_reader_roles(&reader, profile);
    else
        settings->from = aws_i_reader_from(&reader, profile);
    settings->used = reader.out.used;
    if (reader.code == AWS_ERR_MEMORY)
        settings->needed = files->config_size + files->credentials_size + strlen(profile) + 64;
    if (reader.code)
        aws_i_wipe(memory, size);
    return reader.code;
}

AWS_API int aws_files_value(const aws_files *files, const char *profile, const char *key,
                            const char *nested, char *to, size_t room)
{
    aws_i_reader reader;
    aws_settings settings;
    aws_i_ini found;
    int r;

    aws_i_reader_init(&reader, files);
    reader.settings = &settings;
    aws_i_out(&reader.out, to, room);
    r = aws_i_reader_merged(&reader, profile, key, &found);
    if (reader.code)
        return AWS_ERR_PARAM;
    if (r > 0 && found.block != (nested != NULL))
        r = 0;
    if (r > 0 && nested)
        r = aws_i_block_value(&found, nested, &found.value, &found.value_size);
    if (r <= 0)
        return r;
    aws_i_reader_keep(&reader, found.value, found.value_size);
    return reader.code ? reader.code : 1;
}

AWS_API const char *aws_settings_endpoint(const aws_config *config, const char *service_id)
{
    const char *at = config->settings ? config->settings->endpoints : NULL;
    size_t i;

    for (; at && *at; at = aws_i_list_at(at, 2)) { /* "DynamoDB Streams": dynamodb_streams */
        for (i = 0; at[i] && (at[i] == aws_i_lower((unsigned char)service_id[i]) ||
                              (at[i] == '_' && service_id[i] == ' '));)
            i++;
        if (!at[i] && !service_id[i])
            return aws_i_list_at(at, 1);
    }
    return config->settings ? config->settings->endpoint_url : NULL;
}

/* ---- Credential sources: asking in a client's block ---- */

/* A source's own timeouts, ms, and attempts; 0: those of the session. */
typedef struct aws_i_manner {
    const aws_service *service;
    uint32_t           timeout;
    unsigned           attempts;
} aws_i_manner;

static void aws_i_asker_init(aws_i_asker *a,
                             int (*get)(const aws_provider *, aws_client *, aws_keys *), void *self,
                             void *memory, size_t size, unsigned parts)
{
    memset(a, 0, sizeof *a);
    a->provider.get = get;
    a->provider.context = self;
    a->memory = (unsigned char *)memory;
    a->parts = (unsigned char)parts;
    a->part = memory ? size / parts : 0;
}

AWS_API void aws_keys_close(const aws_provider *source)
{
    aws_i_asker *a = (aws_i_asker *)source->context;

    aws_i_wipe(a->memory, a->part * a->parts);
    aws_i_wipe(a->secret, a->secret_size);
    aws_i_wipe(&a->keys, sizeof a->keys);
    aws_i_wipe(&a->session, sizeof a->session);
    aws_i_wipe(&a->client, sizeof a->client);
    a->state = 0;
}

/* Whether the client's memory is still lent to a; a client that was cancelled has it back. */
static int aws_i_lent(const aws_i_asker *a, const aws_client *lender)
{
    return a->lender == lender && lender->connection.state == AWS_I_C_LENT;
}

static unsigned char *aws_i_asker_part(const aws_i_asker *a, unsigned n)
{
    return a->memory + (a->in_use + n) % a->parts * a->part;
}

/* The session and client that ask, without the lender's endpoint and keys. */
static void aws_i_asker_session(aws_i_asker *a, aws_client *lender, const aws_i_manner *manner)
{
    aws_config *config = &a->session.config;

    aws_i_lock(lender);
    a->session = *lender->session;
    aws_i_unlock(lender);
    memset(&a->session.keys, 0, sizeof a->session.keys);
    a->session.provided = 0;
    a->session.spent = 0;
    config->provider = NULL;
    config->tls_name = NULL;
    config->identity = a->identity;
    config->hook = NULL; /* it is for the program's own calls */
    if (manner->timeout) {
        config->proxy = NULL; /* the server is on this machine */
        config->connect_timeout = config->read_timeout = manner->timeout;
    }
    config->addressing = 0;
    config->endpoint = a->endpoint;
    if (a->endpoint)
        config->addresses = NULL; /* STS is at AWS, and reached as the program wants it */
    if (manner->attempts)
        config->max_attempts = manner->attempts;
    config->call_timeout = 0;
    aws_i_client_start(&a->client, &a->session, manner->service);
    a->client.no_wait = lender->no_wait;
}

/* Close the lender's connection and take its memory: 1, AWS_AGAIN or an error of the lender. */
static int aws_i_borrow(aws_i_asker *a, aws_client *lender, const aws_i_manner *manner)
{
    aws_client *inner = &a->client;
    unsigned char *end = (unsigned char *)lender->memory + lender->memory_size;
    int r, tls;

    if (aws_i_lent(a, lender))
        return 1;
    if ((r = aws_i_close(lender)) < 0)
        return r;
    aws_i_asker_session(a, lender, manner);
    if (aws_i_init_endpoint(inner) < 0)
        return aws_i_fail(lender, AWS_REASON_KEYS_ADDRESS, a->session.config.endpoint);
    tls = inner->endpoint_secure && !(inner->port->flags & AWS_PORT_TLS);
#ifdef AWS_NO_TLS
    if (tls)
        return aws_i_fail(lender, AWS_REASON_NO_TLS, NULL);
#endif
    inner->items = a->items;
    inner->item_room = sizeof a->items / sizeof *a->items;
    inner->hash = lender->hash;
    inner->sum = lender->sum;
    inner->signing_key = lender->signing_key;
    if ((size_t)(end - lender->connection.area) < aws_i_connection_size(inner->port, tls)) {
        aws_i_fail(lender, -AWS_ERR_MEMORY, NULL);
        lender->failure.needed = aws_client_memory(lender->port, AWS_MEMORY_TLS);
        return AWS_ERR_MEMORY;
    }
    aws_i_carve_connection(inner, lender->connection.area, end, tls);
    lender->connection.state = AWS_I_C_LENT;
    lender->connection.resumed = 0;
    lender->key_day = UINT32_MAX;
    aws_i_http_init(&lender->http);
    a->lender = lender;
    a->asking = 0;
    return 1;
}

/* Wipe and give back what was lent; the lender closes the socket. */
static void aws_i_give_back(aws_i_asker *a)
{
    aws_client *lender = a->lender, *inner = &a->client;
    unsigned char *end = (unsigned char *)lender->memory + lender->memory_size;
    unsigned char *area = lender->connection.area + aws_i_align(lender->port->connection_size);

    aws_i_wipe(area, (size_t)(end - area));
    lender->connection.state =
        inner->connection.state == AWS_I_C_CLOSED ? AWS_I_C_CLOSED : AWS_I_C_CLOSING;
    lender->connection.doomed = 1;
    aws_i_wipe(inner, sizeof *inner);
    aws_i_wipe(&a->session, sizeof a->session);
    a->lender = NULL;
    a->asking = 0;
}

/* A step of the source is over: the lender waits for what the asking client awaits. */
static int aws_i_asker_await(aws_i_asker *a, aws_client *lender)
{
    int why;
    uint32_t ms = aws_i_patience(&a->client, &why);

    lender->wake = aws_i_ticks(lender) + (ms < 0x7fffffff ? ms : 0x7fffffff);
    lender->waits = a->client.waits | AWS_WAIT_TIMER;
    return AWS_AGAIN;
}

/* ms that are left of the lender's call; 0: it has no deadline. */
static uint32_t aws_i_asker_left(aws_client *lender)
{
    if (!aws_i_in_progress(lender) || !lender->timeout)
        return 0;
    return aws_i_left(aws_i_ticks(lender), lender->started, lender->timeout) + 1;
}

static void aws_i_out_as_it_is(aws_out *out, aws_i_view *view, const aws_i_item *item)
{
    if (view->form == AWS_I_I_NAME)
        aws_i_out_lower(out, item->name);
    else
        aws_out_bytes(out, item->value, item->length);
}

/* Make a call in the borrowed memory. Its first entry sets what is asked by call and headers, with
 * keys if it is to be signed. What aws_call_run returns, or what the lender is told. */
static int aws_i_ask(aws_i_asker *a, aws_client *lender, aws_call *call,
                     const aws_pair *headers, size_t count)
{
    aws_client *inner = &a->client;
    size_t i;
    int r;

    if (!a->asking) {
        call->timeout = aws_i_asker_left(lender);
        inner->given = aws_i_out_as_it_is;
        inner->anonymous = !a->session.keys.access_key_id;
        r = aws_call_enter(inner, call);
        if (r < 0)
            return r;
        for (i = 0; i < count; i++)
            if (headers[i].value)
                aws_i_add_header(inner, "", headers[i].name, headers[i].value);
        a->asking = 1;
    }
    r = aws_call_run(inner);
    if (r == AWS_AGAIN)
        return aws_i_asker_await(a, lender);
    if (!aws_call_reading(inner))
        a->asking = 0;
    return r;
}

/* Give back what is lent, and wipe all parts but the one in use and another one to be kept. */
static void aws_i_asker_end(aws_i_asker *a, const aws_client *lender, unsigned keep)
{
    unsigned part;

    if (aws_i_lent(a, lender))
        aws_i_give_back(a);
    for (part = 1; part < a->parts; part++)
        if (part != keep)
            aws_i_wipe(aws_i_asker_part(a, part), a->part);
    a->state = 0;
}

/* The source can't give keys: tell the lender why, in its own failure. */
static int aws_i_asker_failed(aws_i_asker *a, aws_client *lender, int reason)
{
    const aws_failure *inner = &a->client.failure;
    aws_failure *f = &lender->failure;
    int late = aws_i_in_progress(lender) && aws_i_deadline_passed(lender);

    if (!f->code && late)
        aws_i_fail(lender, AWS_REASON_CALL_TIME, a->client.host);
    if (!f->code) {
        if (!reason)
            reason = inner->code == AWS_ERR_SERVICE  ? AWS_REASON_KEYS_REFUSED
                     : inner->code == AWS_ERR_MEMORY ? AWS_REASON_KEYS_MEMORY
                                                     : AWS_REASON_KEYS_UNREACHED;
        aws_i_fail(lender, reason, a->client.host);
        f->http_status = inner->http_status;
        f->detail = inner->detail;
        f->cause = reason == AWS_REASON_KEYS_UNREACHED ? inner->code : 0;
        f->needed = inner->needed ? (inner->needed + 8) * a->parts : 0;
        memcpy(f->aws_code, inner->aws_code, /* the three texts */
               offsetof(aws_failure, host_id) - offsetof(aws_failure, aws_code));
    }
    aws_i_asker_end(a, lender, 0);
    return f->code;
}

/* The new keys, which lie in the part after the one in use, replace the old ones if they are good.
 * Returns what the provider returns. */
static int aws_i_asker_take(aws_i_asker *a, aws_client *lender, aws_keys *fresh, aws_keys *keys,
                            unsigned part)
{
    int fault = fresh->expiration < 0 ? AWS_REASON_KEYS_ANSWER
                                      : aws_i_keys_wrong(fresh, aws_i_now(lender));

    if (fault)
        return aws_i_asker_failed(a, lender, fault);
    aws_i_asker_end(a, lender, part); /* and with it what the new keys were got with */
    a->in_use = (unsigned char)((a->in_use + part) % a->parts);
    a->keys = *keys = *fresh;
    return 0;
}

/* An address for keys: scheme, host and port go to url, *path is what follows. 0 if it is none. */
static int aws_i_asker_address(aws_i_asker *a, const char *address, const char **path)
{
    size_t scheme = strncmp(address, aws_i_text_https, 8) == 0 ? 8 : 7;
    size_t size = scheme == 7 && strncmp(address, aws_i_text_http, 7) != 0 ? 0 : scheme;

    if (size)
        size += strcspn(address + size, "/?");
    if (!size || size >= sizeof a->url || !aws_i_plain_text(address))
        return 0;
    memcpy(a->url, address, size);
    a->url[size] = 0;
    a->endpoint = a->url;
    *path = address + size;
    return 1;
}

/* An error's body says nothing that is needed. */
static size_t aws_i_keys_error(aws_client *client, const unsigned char *data, size_t size)
{
    (void)client;
    (void)data;
    return size;
}

static const aws_protocol aws_i_keys_protocol = {NULL, NULL, 0, NULL, aws_i_keys_error};
static const aws_service aws_i_keys_service = {
    aws_i_text_keys, "", "", &aws_i_keys_protocol, NULL, 0, NULL, NULL, NULL, NULL};

/* Undo a string's escapes in place, and end it with NUL. What isn't printable ASCII is as wrong in
 * keys as a control character is, and becomes one. */
static void aws_i_keys_decode(char *from, const char *end)
{
    char *to = from;

    while (from < end) {
        unsigned code = (unsigned char)*from++, i;
        if (code == '\\') {
            code = (unsigned char)*from++;
            if (code == 'u')
                for (code = i = 0; i < 4 && aws_i_digit_value((unsigned char)*from) < 16; i++)
                    code = code * 16 + aws_i_digit_value((unsigned char)*from++);
            else if (code >= 'b')
                code = 1;
        }
        *to++ = (char)(code - 1 < 126 ? code : 1);
    }
    *to = 0;
}

/* Keys from a JSON answer text[size], which they stay in. names: the object that they are members
 * of, "" for the outermost, then those of the three and of the expiration. 0 or a reason. What is
 * cut never is right: its objects aren't closed. */
static int aws_i_keys_parse(char *text, size_t size, const char *names, aws_keys *keys)
{
    aws_i_json_scan s = {text, size, 0, 0, 0, 0};
    const char *value[4] = {NULL, NULL, NULL, NULL};
    int depth = 1 + (*names != 0), inside = !*names, index = -1, before = ',', c, r = 0;

    memset(keys, 0, sizeof *keys);
    for (; (c = aws_i_json_next(&s)) != 0; before = c) {
        /* no value follows another one, or a whole document; one is between two marks */
        if (strchr(strchr(",:}]", c) ? ",:" : "\"}]", before))
            r = AWS_REASON_KEYS_ANSWER;
        if (c == '"')
            aws_i_keys_decode(text + s.from, text + s.to);
        if (c == ':' && s.depth == 1 && depth == 2)
            inside = aws_i_equal(text + s.from, names);
        if (c == '"' && index >= 0)
            value[index] = text + s.from;
        else if (index >= 0 && c != 'n') /* null is as good as none */
            r = AWS_REASON_KEYS_ANSWER;
        index = c == ':' && inside && s.depth == depth
                    ? aws_i_list_find(aws_i_list_at(names, 1), text + s.from)
                    : -1;
    }
    keys->access_key_id = value[0];
    keys->secret_access_key = value[1];
    keys->session_token = value[2];
    keys->expiration = value[3] ? aws_date_parse(value[3]) : 0;
    return s.at == size && !s.depth && !r && value[0] && value[1] && keys->expiration >= 0
               ? 0
               : AWS_REASON_KEYS_ANSWER;
}

/* Answers' names; those of IoT are others. */
static const char aws_i_keys_names[] = "\0AccessKeyId\0SecretAccessKey\0Token\0Expiration\0";

/* Ask for a JSON document of keys: when it is there, they are taken. */
static int aws_i_ask_keys(aws_i_asker *a, aws_client *lender, aws_call *call,
                          const aws_pair *headers, size_t count, const char *names, aws_keys *fresh)
{
    char *text = (char *)aws_i_asker_part(a, 1);
    int r;

    call->buffer = text;
    call->buffer_size = a->part;
    if ((r = aws_i_ask(a, lender, call, headers, count)) < 0)
        return r == AWS_AGAIN ? r : aws_i_asker_failed(a, lender, 0);
    r = aws_i_keys_parse(text, (size_t)r, names, fresh);
    return r ? aws_i_asker_failed(a, lender, r) : 1;
}

/* ---- Credential sources: instance metadata ---- */

enum { AWS_I_IMDS_BEGIN, AWS_I_IMDS_TOKEN, AWS_I_IMDS_ROLE, AWS_I_IMDS_KEYS };

static const aws_i_manner aws_i_imds_manner = {&aws_i_keys_service, 1000, 1};

/* Nobody there is not a failure, unless keys came from there before. */
static int aws_i_imds_none(aws_keys_imds *s, aws_client *client)
{
    if (s->ask.keys.access_key_id || (aws_i_in_progress(client) && aws_i_deadline_passed(client)))
        return aws_i_asker_failed(&s->ask, client, 0);
    aws_i_log_text(client, "no instance metadata", "", 0);
    aws_i_asker_failed(&s->ask, client, 0);
    aws_i_failure_reset(client);
    return AWS_KEYS_NONE;
}

static void aws_i_imds_call(aws_call *call, const char *method, const char *path)
{
    memset(call, 0, sizeof *call);
    call->operation = "instance metadata";
    call->method = method;
    call->key = path;
}

static int aws_i_imds_token(aws_keys_imds *s, aws_client *client)
{
    static const aws_pair ttl = {"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
    aws_call call;
    int r, status;

    aws_i_imds_call(&call, "PUT", "latest/api/token");
    call.buffer = s->token;
    call.buffer_size = sizeof s->token - 1;
    r = aws_i_ask(&s->ask, client, &call, &ttl, 1);
    if (r == AWS_AGAIN)
        return r;
    status = s->ask.client.failure.http_status;
    s->token[r < 0 ? 0 : r] = 0;
    if (r > 0 && !aws_i_plain_text(s->token))
        return aws_i_asker_failed(&s->ask, client, AWS_REASON_KEYS_ANSWER);
    if (r > 0)
        return 1;
    /* an old server, or packets that don't come back from behind one more hop */
    if (s->allow_v1 && (s->ask.client.failure.code == AWS_ERR_TIMEOUT || status == 403 ||
                        status == 404 || status == 405))
        return 1;
    return aws_i_imds_none(s, client);
}

/* The role's name becomes part of a path. */
static int aws_i_imds_role(aws_keys_imds *s, aws_client *client, const aws_pair *header)
{
    static const char list[] = "latest/meta-data/iam/security-credentials/";
    aws_call call;
    size_t i;
    int r;

    aws_i_imds_call(&call, aws_i_text_get, list);
    call.buffer = s->role;
    call.buffer_size = sizeof s->role - 1;
    if ((r = aws_i_ask(&s->ask, client, &call, header, 1)) == AWS_AGAIN)
        return r;
    if (r < 0)
        return s->ask.client.failure.http_status == 404 ? aws_i_imds_none(s, client)
                                                        : aws_i_asker_failed(&s->ask, client, 0);
    while (r && (s->role[r - 1] == '\n' || s->role[r - 1] == '\r'))
        r--;
    s->role[r] = 0;
    for (i = 0; s->role[i]; i++)
        if (!aws_i_alnum((unsigned char)s->role[i]) && !strchr("+=,.@_-", s->role[i]))
            break;
    if (!i || i > 64 || s->role[i] || aws_i_equal(s->role, ".") || aws_i_equal(s->role, ".."))
        return aws_i_asker_failed(&s->ask, client, AWS_REASON_KEYS_ANSWER);
    memcpy(s->path, list, sizeof list);
    memcpy(s->path + sizeof list - 1, s->role, i + 1);
    return 1;
}

/* Keys that have expired are handed out when EC2 has trouble: they are used on, and asked for
 * again in 17 to 25 minutes. A session asks 15 minutes before expiration. */
static void aws_i_imds_extend(aws_client *client, aws_keys *keys)
{
    int64_t now = aws_i_now(client);
    unsigned char random[2] = {0, 0};

    if (!keys->expiration || !now || keys->expiration > now)
        return;
    client->port->entropy(client->port, random, sizeof random);
    keys->expiration = now + 2 * 900 + 120 + ((random[0] << 8 | random[1]) & 0x7fff) % 481;
    aws_i_log_text(client, "instance metadata has only expired keys", "", 0);
}

static int aws_i_imds_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_imds *s = (aws_keys_imds *)provider->context;
    const char *off = aws_i_env(client->port, "AWS_EC2_METADATA_DISABLED"), *path;
    aws_pair header;
    aws_keys fresh;
    aws_call call;
    int r;

    if (off && aws_i_equal_nocase(off, aws_i_text_true))
        return AWS_KEYS_NONE;
    header.name = "x-aws-ec2-metadata-token";
    header.value = s->token[0] ? s->token : NULL;
    if (!aws_i_lent(&s->ask, client))
        s->ask.state = AWS_I_IMDS_BEGIN;
    if (s->ask.state == AWS_I_IMDS_BEGIN) {
        if (!aws_i_asker_address(&s->ask, s->endpoint, &path))
            return aws_i_fail(client, AWS_REASON_KEYS_ADDRESS, s->endpoint);
        if ((r = aws_i_borrow(&s->ask, client, &aws_i_imds_manner)) < 0)
            return r;
        s->ask.state = AWS_I_IMDS_TOKEN;
    }
    if (s->ask.state == AWS_I_IMDS_TOKEN) {
        if ((r = aws_i_imds_token(s, client)) != 1 || !aws_i_lent(&s->ask, client))
            return r;
        header.value = s->token[0] ? s->token : NULL;
        s->ask.state = AWS_I_IMDS_ROLE;
    }
    if (s->ask.state == AWS_I_IMDS_ROLE) {
        if ((r = aws_i_imds_role(s, client, &header)) != 1 || !aws_i_lent(&s->ask, client))
            return r;
        s->ask.state = AWS_I_IMDS_KEYS;
    }
    aws_i_imds_call(&call, aws_i_text_get, s->path);
    r = aws_i_ask_keys(&s->ask, client, &call, &header, 1, aws_i_keys_names, &fresh);
    if (r != 1)
        return r;
    aws_i_imds_extend(client, &fresh);
    return aws_i_asker_take(&s->ask, client, &fresh, keys, 1);
}

AWS_API const aws_provider *aws_keys_imds_init(aws_keys_imds *source, void *memory, size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_imds_get, source, memory, size, 2);
    source->ask.secret = source->token;
    source->ask.secret_size = sizeof source->token;
    source->endpoint = "http://169.254.169.254";
    return &source->ask.provider;
}

/* ---- Credential sources: a container's agent ---- */

static const aws_i_manner aws_i_container_manner = {&aws_i_keys_service, 2000, 3};

/* Plain http goes only to this machine and to the agents: 127.0.0.0/8 and fixed addresses. */
static int aws_i_container_allows(const char *url)
{
    static const char hosts[] =
        "localhost\0[::1]\0" "169.254.170.2\0" "169.254.170.23\0[fd00:ec2::23]\0";
    const char *host = url + 7;
    size_t size;
    char name[24];

    if (strncmp(url, aws_i_text_https, 8) == 0)
        return 1;
    size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (size >= sizeof name)
        return 0;
    memcpy(name, host, size);
    name[size] = 0;
    return aws_i_list_find(hosts, name) >= 0 ||
           (strncmp(name, "127.", 4) == 0 && aws_i_is_host(name, size) == AWS_I_ENDPOINT_IP);
}

/* The token for the Authorization header, NULL none: from its file or from the environment. In
 * the third part of the memory if it comes from a file. 0 or an error. */
static int aws_i_container_token(aws_keys_container *s, aws_client *client, const char **token)
{
    const char *path = aws_i_env(client->port, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    char *to = (char *)aws_i_asker_part(&s->ask, 2);
    int r;

    *token = aws_i_env(client->port, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path) {
        r = s->read && s->ask.part ? s->read(s->read_context, path, to, s->ask.part - 1)
                                   : AWS_ERR_UNSUPPORTED;
        if (r < 0)
            return aws_i_fail(client, AWS_REASON_KEYS_FILE, path);
        to[r] = 0;
        *token = to;
    }
    if (*token && !aws_i_printable(*token))
        return aws_i_fail(client, AWS_REASON_KEYS_TOKEN, NULL);
    return 0;
}

static int aws_i_container_begin(aws_keys_container *s, aws_client *client)
{
    const char *relative = aws_i_env(client->port, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_i_env(client->port, "AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (!relative && !full)
        return AWS_KEYS_NONE;
    if (relative) {
        aws_i_asker_address(&s->ask, "http://169.254.170.2", &s->path);
        s->path = relative;
    } else if (!aws_i_asker_address(&s->ask, full, &s->path) ||
               !aws_i_container_allows(s->ask.url)) {
        return aws_i_fail(client, AWS_REASON_KEYS_ADDRESS, full);
    }
    if (!aws_i_plain_text(s->path) || (*s->path && *s->path != '/'))
        return aws_i_fail(client, AWS_REASON_KEYS_ADDRESS, s->path);
    return aws_i_borrow(&s->ask, client, &aws_i_container_manner);
}

/* For aws_call.path: as it was given. */
static void aws_i_container_path(aws_out *out, const aws_call *call, int is_signed)
{
    const char *path = (const char *)call->emit_context;

    (void)is_signed;
    aws_out_text(out, *path ? path : "/");
}

static int aws_i_container_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_container *s = (aws_keys_container *)provider->context;
    aws_pair headers[2];
    aws_keys fresh;
    aws_call call;
    int r;

    if (!aws_i_lent(&s->ask, client)) {
        r = aws_i_container_begin(s, client);
        if (r != 1 || !aws_i_lent(&s->ask, client))
            return r;
    }
    headers[0].name = "accept";
    headers[0].value = "application/json";
    headers[1].name = "authorization";
    headers[1].value = NULL;
    if (!s->ask.asking && aws_i_container_token(s, client, &headers[1].value) < 0)
        return aws_i_asker_failed(&s->ask, client, 0);
    memset(&call, 0, sizeof call);
    call.operation = "container credentials";
    call.method = aws_i_text_get;
    call.path = aws_i_container_path;
    call.emit_context = s->path;
    r = aws_i_ask_keys(&s->ask, client, &call, headers, 2, aws_i_keys_names, &fresh);
    return r == 1 ? aws_i_asker_take(&s->ask, client, &fresh, keys, 1) : r;
}

AWS_API const aws_provider *aws_keys_container_init(aws_keys_container *source, void *memory,
                                                    size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_container_get, source, memory, size, 3);
    return &source->ask.provider;
}

/* ---- Credential sources: roles of STS ---- */

static const aws_service aws_i_sts_service = {"STS", "sts", "sts", &aws_query, "2011-06-15",
                                              0,     NULL,  aws_regional, NULL, NULL};
static const aws_i_manner aws_i_sts_manner = {&aws_i_sts_service, 0, 0};

static void aws_i_sts_form(aws_pair *form, size_t *count, const char *name, const char *value)
{
    form[*count].name = name;
    form[*count].value = value;
    ++*count;
}

/* The request for a role; what it points at is the source's. */
static void aws_i_sts_request(aws_request *request, aws_pair *form, const aws_role *role)
{
    memset(request, 0, sizeof *request);
    request->operation = "AssumeRole";
    request->form = form;
    aws_i_sts_form(form, &request->form_count, "RoleArn", role->arn);
    aws_i_sts_form(form, &request->form_count, "RoleSessionName",
                   role->session_name ? role->session_name : "aws.h");
    aws_i_sts_form(form, &request->form_count, "ExternalId", role->external_id);
    aws_i_sts_form(form, &request->form_count, "DurationSeconds", role->duration);
}

/* Where the text of an element lies in the document; 0 if it has more than plain text. */
static size_t aws_i_sts_text(const aws_slice *document, const aws_slice *xml, const char *name)
{
    aws_slice element;
    size_t begin, size;

    if (aws_xml_find(xml, name, &element) <= 0)
        return 0;
    for (begin = 0; begin < element.size && element.text[begin] != '>';)
        begin++;
    for (size = ++begin; size < element.size && element.text[size] != '<' &&
                         element.text[size] != '&';)
        size++;
    if (size >= element.size || element.text[size] != '<')
        return 0;
    return (size_t)(element.text - document->text) + begin;
}

/* Keys from STS' answer text[size], which they stay in: 0 or a reason. */
static int aws_i_sts_parse(char *text, size_t size, const char *result, aws_keys *keys)
{
    static const char names[] = "AccessKeyId\0SecretAccessKey\0SessionToken\0Expiration\0";
    aws_slice document, credentials;
    size_t at[4];
    int i;

    memset(keys, 0, sizeof *keys);
    document.text = text;
    document.size = size;
    if (aws_xml_find(&document, result, &credentials) <= 0)
        return AWS_REASON_KEYS_ANSWER;
    for (i = 0; i < 4; i++)
        at[i] = aws_i_sts_text(&document, &credentials, aws_i_list_at(names, i));
    for (i = 0; i < 4; i++) {
        if (!at[i])
            return AWS_REASON_KEYS_ANSWER;
        *(char *)memchr(text + at[i], '<', size - at[i]) = 0;
    }
    keys->access_key_id = text + at[0];
    keys->secret_access_key = text + at[1];
    keys->session_token = text + at[2];
    keys->expiration = aws_date_parse(text + at[3]);
    return 0;
}

/* Ask STS: 1 when the answer's keys lie in that part of the memory. */
static int aws_i_sts_ask(aws_i_asker *a, aws_client *lender, aws_request *request, unsigned part,
                         const char *result, aws_keys *fresh)
{
    char *text = (char *)aws_i_asker_part(a, part);
    int r;

    if (!a->asking) {
        a->client.anonymous = !a->session.keys.access_key_id;
        request->timeout = aws_i_asker_left(lender);
        request->buffer = text;
        request->buffer_size = a->part;
        a->asking = 1;
    }
    if ((r = aws_request_run(&a->client, request)) == AWS_AGAIN)
        return aws_i_asker_await(a, lender);
    a->asking = 0;
    if (r < 0)
        return aws_i_asker_failed(a, lender, 0);
    r = aws_i_sts_parse(text, (size_t)r, result, fresh);
    if (!r)
        r = aws_i_keys_fault(fresh);
    return r ? aws_i_asker_failed(a, lender, r) : 1;
}

static int aws_i_role_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    enum { BEGIN, WITH_BASE };
    aws_keys_role *s = (aws_keys_role *)provider->context;
    aws_i_asker *a = &s->ask;
    aws_keys fresh;
    unsigned part;
    int r;

    if (!aws_i_lent(a, client)) {
        if (a->state == BEGIN) {
            memset(&s->with, 0, sizeof s->with);
            if ((r = s->base->get(s->base, client, &s->with)) < 0)
                return r;
            if (r || aws_i_keys_fault(&s->with))
                return aws_i_fail(client, AWS_REASON_KEYS_BASE, s->roles->arn);
            a->state = WITH_BASE;
        }
        a->endpoint = s->endpoint;
        if ((r = aws_i_borrow(a, client, &aws_i_sts_manner)) < 0) {
            a->state = r == AWS_AGAIN ? WITH_BASE : BEGIN;
            return r;
        }
        a->role = 0;
    }
    for (;;) {
        part = 1 + (a->role & 1u);
        if (!a->asking) {
            a->session.keys = s->with;
            a->client.key_day = UINT32_MAX;
            aws_i_sts_request(&s->request, s->form, s->roles + a->role);
        }
        r = aws_i_sts_ask(a, client, &s->request, part, "AssumeRoleResult.Credentials", &fresh);
        if (r != 1)
            return r;
        if (++a->role == s->count)
            break;
        s->with = fresh;
    }
    memset(&s->with, 0, sizeof s->with);
    return aws_i_asker_take(a, client, &fresh, keys, part);
}

AWS_API const aws_provider *aws_keys_role_init(aws_keys_role *source, const aws_provider *base,
                                               const aws_role *roles, size_t count, void *memory,
                                               size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_role_get, source, memory, size, count > 1 ? 3 : 2);
    source->base = base;
    source->roles = roles;
    source->count = count;
    return &source->ask.provider;
}

/* Read the token into the last part of the memory: 0, AWS_KEYS_NONE or an error. */
static int aws_i_web_begin(aws_keys_web_identity *s, aws_client *client)
{
    char *token = (char *)aws_i_asker_part(&s->ask, 2);
    aws_role role = s->role;
    const char *path = aws_i_or(s->token_file,
                                aws_i_env(client->port, "AWS_WEB_IDENTITY_TOKEN_FILE"));
    int r;

    if (!path)
        return AWS_KEYS_NONE;
    role.arn = aws_i_or(role.arn, aws_i_env(client->port, "AWS_ROLE_ARN"));
    role.session_name =
        aws_i_or(role.session_name, aws_i_env(client->port, "AWS_ROLE_SESSION_NAME"));
    if (!role.arn)
        return aws_i_fail(client, AWS_REASON_KEYS_ROLE, path);
    r = s->read && s->ask.part ? s->read(s->read_context, path, token, s->ask.part - 1)
                               : AWS_ERR_UNSUPPORTED;
    while (r > 0 && strchr(aws_i_text_crlf, token[r - 1]))
        r--;
    if (r <= 0)
        return aws_i_fail(client, AWS_REASON_KEYS_FILE, path);
    token[r] = 0;
    aws_i_sts_request(&s->request, s->form, &role);
    s->request.operation = "AssumeRoleWithWebIdentity";
    s->form[2].name = "WebIdentityToken"; /* there is no external id */
    s->form[2].value = token;
    return 0;
}

static int aws_i_web_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    aws_keys_web_identity *s = (aws_keys_web_identity *)provider->context;
    aws_keys fresh;
    int r;

    if (!aws_i_lent(&s->ask, client)) {
        s->ask.endpoint = s->endpoint;
        if ((r = aws_i_web_begin(s, client)) != 0 ||
            (r = aws_i_borrow(&s->ask, client, &aws_i_sts_manner)) < 0) {
            aws_i_wipe(aws_i_asker_part(&s->ask, 2), s->ask.part);
            return r;
        }
    }
    r = aws_i_sts_ask(&s->ask, client, &s->request, 1,
                      "AssumeRoleWithWebIdentityResult.Credentials", &fresh);
    return r == 1 ? aws_i_asker_take(&s->ask, client, &fresh, keys, 1) : r;
}

AWS_API const aws_provider *aws_keys_web_identity_init(aws_keys_web_identity *source,
                                                       const aws_role *role, const char *token_file,
                                                       aws_file_reader read, void *read_context,
                                                       void *memory, size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_web_get, source, memory, size, 3);
    if (role)
        source->role = *role;
    source->token_file = token_file;
    source->read = read;
    source->read_context = read_context;
    return &source->ask.provider;
}

/* ---- Credential sources: AWS IoT Core ---- */

static const aws_i_manner aws_i_iot_manner = {&aws_i_keys_service, 0, 0};

/* For aws_call.path. */
static void aws_i_iot_path(aws_out *out, const aws_call *call, int is_signed)
{
    const aws_keys_iot *s = (const aws_keys_iot *)call->emit_context;

    (void)is_signed;
    aws_out_text(out, "/role-aliases/");
    aws_out_uri(out, s->role_alias, strlen(s->role_alias), "");
    aws_out_text(out, "/credentials");
}

static int aws_i_iot_get(const aws_provider *provider, aws_client *client, aws_keys *keys)
{
    static const char names[] =
        "credentials\0accessKeyId\0secretAccessKey\0sessionToken\0expiration\0";
    aws_keys_iot *s = (aws_keys_iot *)provider->context;
    aws_pair header;
    aws_keys fresh;
    aws_call call;
    int r;

    s->ask.endpoint = s->host;
    if (strncmp(s->host, aws_i_text_https, 8) != 0)
        return aws_i_fail(client, AWS_REASON_KEYS_ADDRESS, s->host);
    if ((r = aws_i_borrow(&s->ask, client, &aws_i_iot_manner)) < 0)
        return r;
    header.name = "x-amzn-iot-thingname";
    header.value = s->thing_name;
    memset(&call, 0, sizeof call);
    call.operation = "IoT credentials";
    call.method = aws_i_text_get;
    call.path = aws_i_iot_path;
    call.emit_context = s;
    r = aws_i_ask_keys(&s->ask, client, &call, &header, 1, names, &fresh);
    return r == 1 ? aws_i_asker_take(&s->ask, client, &fresh, keys, 1) : r;
}

AWS_API const aws_provider *aws_keys_iot_init(aws_keys_iot *source, const char *host,
                                              const char *role_alias, const char *thing_name,
                                              const aws_identity *identity, void *memory,
                                              size_t size)
{
    memset(source, 0, sizeof *source);
    aws_i_asker_init(&source->ask, aws_i_iot_get, source, memory, size, 2);
    source->ask.identity = identity;
    source->host = host;
    source->role_alias = role_alias;
    source->thing_name = thing_name;
    return &source->ask.provider;
}

/* ---- Sessions of directory buckets: only in programs that name aws_s3_express_init ---- */

/* Whether the call is signed with a session of its bucket. */
static int aws_i_express_wanted(const aws_call *call)
{
    static const char plain[] = "CopyObject\0UploadPartCopy\0CreateSession\0";
    size_t size;

    return call->bucket && strlen(call->bucket) < sizeof ((aws_s3_express *)0)->kept[0].bucket &&
           aws_i_express_zone(call->bucket, &size) && !aws_i_express_control(call) &&
           aws_i_list_find(plain, call->operation) < 0;
}

/* Sign with these; the token's header is named, and so sorted, after whose they are. */
static void aws_i_express_sign_with(aws_client *client, const aws_keys *keys, const char *name)
{
    size_t i, kept = 0;

    if (client->keys != keys)
        client->key_day = UINT32_MAX;
    client->keys = keys;
    for (i = 0; i < client->item_count; i++)
        if (client->items[i].kind != AWS_I_HEADER_TOKEN)
            client->items[kept++] = client->items[i];
    if (kept < client->item_count) {
        client->item_count = kept;
        aws_i_add(client, "", name, "", 0, AWS_I_HEADER_TOKEN);
    }
}

/* Enter CreateSession in a copy of the lender, which has its connection meanwhile. One attempt:
 * what follows a failure is decided by the call that needs the session. */
static void aws_i_express_enter(aws_s3_express *x, aws_client *lender, const char *bucket)
{
    unsigned other = !x->last;
    aws_client *client = &x->client;
    aws_call call;

    aws_i_wipe(x->memory + other * x->part, x->part);
    memset(&x->kept[other], 0, sizeof x->kept[other]);
    memcpy(x->kept[other].bucket, bucket, strlen(bucket));
    x->session = *lender->session;
    x->session.provided = 0;
    x->session.config.provider = NULL;
    x->session.config.hook = NULL; /* it is for the program's own calls */
    x->session.config.max_attempts = 1;
    *client = *lender;
    client->session = &x->session;
    client->keys = &x->session.keys;
    client->key_day = UINT32_MAX;
    client->express = NULL;
    client->owner = NULL;
    client->items = x->items;
    client->item_room = sizeof x->items / sizeof *x->items;
    memset(&client->chunks, 0, sizeof client->chunks);
    if (aws_i_in_progress(lender))
        client->http.state = AWS_I_H_DONE; /* its answer hasn't begun */
    client->state = AWS_I_IDLE;
    memset(&call, 0, sizeof call);
    call.operation = "CreateSession";
    call.method = aws_i_text_get;
    call.bucket = x->kept[other].bucket;
    call.buffer = x->memory + other * x->part;
    call.buffer_size = x->part;
    call.timeout = aws_i_asker_left(lender);
    aws_call_enter(client, &call);
    client->check = aws_i_check_xml;
    client->tried = 0xff; /* nothing is put right here */
    aws_call_query(client, "session", NULL);
    aws_call_header(client, NULL, "x-amz-create-session-mode", x->mode);
    lender->connection.state = AWS_I_C_LENT;
    x->asking = 1;
}

/* Whether that is under way: not after the lender was cancelled, nor for another bucket. */
static int aws_i_express_asks(const aws_s3_express *x, const aws_client *client,
                              const aws_client *lender)
{
    return x->asking && lender->connection.state == AWS_I_C_LENT &&
           aws_i_equal(x->kept[!x->last].bucket, client->call.bucket);
}

/* A session for the bucket: 0 once it is there, AWS_AGAIN or an error in client's failure. */
static int aws_i_express_ask(aws_s3_express *x, aws_client *client, aws_client *lender)
{
    unsigned other = !x->last;
    aws_client *asked = &x->client;
    int r, why, fault;
    uint32_t ms;

    client->inflight = 0; /* the call itself isn't yet */
    if (!aws_i_express_asks(x, client, lender))
        aws_i_express_enter(x, lender, client->call.bucket);
    r = aws_call_run(asked);
    if (r == AWS_AGAIN) {
        ms = aws_i_patience(asked, &why);
        lender->wake = aws_i_ticks(lender) + (ms < 0x7fffffff ? ms : 0x7fffffff);
        lender->waits = asked->waits | AWS_WAIT_TIMER;
        return r;
    }
    fault = r < 0 ? 0
                  : aws_i_sts_parse((char *)x->memory + other * x->part, (size_t)r, aws_i_text_keys,
                                    &x->kept[other].keys);
    if (r >= 0 && !fault && (aws_i_keys_fault(&x->kept[other].keys) ||
                             x->kept[other].keys.expiration <= aws_i_now(client)))
        fault = AWS_REASON_KEYS_ANSWER;
    if (fault)
        r = aws_i_fail(asked, fault, asked->host);
    lender->connection = asked->connection;
    lender->http = asked->http;
    memcpy(lender->host, asked->host, sizeof lender->host);
    lender->port_number = asked->port_number;
    lender->key_day = UINT32_MAX;
    lender->key_generation = asked->key_generation;
    if (r < 0) {
        asked->failure.attempts = client->attempts;
        if (r == AWS_ERR_MEMORY)
            asked->failure.needed *= 2;
        client->failure = asked->failure;
        memset(&x->kept[other], 0, sizeof x->kept[other]);
    } else {
        if (aws_i_equal(x->kept[!other].bucket, x->kept[other].bucket))
            memset(&x->kept[!other], 0, sizeof x->kept[!other]);
        x->last = (unsigned char)other;
        client->inflight = 1;
    }
    aws_i_wipe(asked, sizeof *asked);
    aws_i_wipe(&x->session, sizeof x->session);
    x->asking = 0;
    return r < 0 ? r : 0;
}

static void aws_i_express_wipe(aws_s3_express *x)
{
    aws_i_wipe(x->memory, 2 * x->part);
    aws_i_wipe(x->kept, sizeof x->kept);
    aws_i_wipe(&x->client, sizeof x->client);
    aws_i_wipe(&x->session, sizeof x->session);
    x->asking = 0;
}

/* Choose what client's call is signed with, asking over lender's connection: 0, AWS_AGAIN, AWS_I_GO
 * if the connection has to be made anew, or an error. lender NULL: forget everything. */
static int aws_i_express_use(aws_client *client, aws_client *lender)
{
    enum { ADVISORY = 45, MANDATORY = 10 };
    aws_s3_express *x = client->express;
    const char *bucket = client->call.bucket;
    int64_t left = -1;
    int i, r;

    if (!lender) {
        aws_i_express_wipe(x);
        return 0;
    }
    if (!aws_i_express_wanted(&client->call)) {
        aws_i_express_sign_with(client, &client->session->keys, aws_i_text_token);
        return 0;
    }
    for (i = 0; i < 2; i++)
        if (x->kept[i].keys.access_key_id && aws_i_equal(x->kept[i].bucket, bucket)) {
            x->last = (unsigned char)i;
            left = x->kept[i].keys.expiration - aws_i_now(client);
        }
    if (aws_i_express_asks(x, client, lender) ||
        left <= (left >= 0 && x->kept[x->last].tried ? MANDATORY : ADVISORY)) {
        if (client != lender && aws_i_in_progress(lender))
            return aws_i_fail(client, -AWS_ERR_BUSY, NULL);
        r = aws_i_express_ask(x, client, lender);
        if (r == AWS_AGAIN || (r < 0 && left <= MANDATORY))
            return r;
        if (r < 0) { /* the old one is still good */
            x->kept[x->last].tried = 1;
            aws_i_failure_reset(client);
            client->inflight = 1;
        }
        if (client == lender && client->connection.state != AWS_I_C_OPEN)
            return AWS_I_OPEN;
    }
    aws_i_express_sign_with(client, &x->kept[x->last].keys, "x-amz-s3session-token");
    return 0;
}

AWS_API int aws_s3_express_init(aws_s3_express *express, aws_client *client, void *memory,
                                size_t size)
{
    memset(express, 0, sizeof *express);
    if (client->broken)
        return client->broken;
    if (!aws_i_config(client)->addresses)
        return aws_i_fail(client, AWS_REASON_EXPRESS, NULL);
    if (!memory)
        return aws_i_fail(client, AWS_REASON_NO_MEMORY, NULL);
    express->use = aws_i_express_use;
    express->memory = (unsigned char *)memory;
    express->part = memory ? size / 2 : 0;
    client->express = express;
    return 0;
}

/* ---- Session and client ---- */

AWS_API const char *aws_feature_environment(aws_session *session, const char *service_id)
{
    aws_config *c = &session->config;
    uint64_t number;
    const char *text;

    if (service_id)
        return aws_i_env_endpoint(c->port, service_id);
    c->region = aws_i_or(c->region, aws_i_env(c->port, "AWS_REGION"));
    c->region = aws_i_or(c->region, aws_i_env(c->port, "AWS_DEFAULT_REGION"));
    text = c->max_attempts ? NULL : aws_i_env(c->port, "AWS_MAX_ATTEMPTS");
    if (text && aws_i_number(text, &number) && number && number < 1000)
        c->max_attempts = (unsigned)number;
    text = c->retry_mode ? NULL : aws_i_env(c->port, "AWS_RETRY_MODE");
    if (text && aws_i_equal(text, "legacy"))
        c->retry_mode = AWS_RETRY_LEGACY;
    if (!c->access_key_id && !c->secret_access_key && !session->provided && !c->anonymous)
        aws_i_env_keys(c->port, &session->keys);
    return NULL;
}

#if defined(AWS_SMALL) && !defined(AWS_I_ALL_NAMED) /* by tests of the short code */
static const aws_features aws_i_default_features = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};
#else
static const aws_features aws_i_default_features = {aws_feature_environment, aws_feature_checksums,
                                                    aws_feature_refresh, aws_feature_clock,
                                                    aws_feature_log, aws_feature_bodies,
                                                    aws_feature_retries};
#endif

AWS_API int aws_session_init(aws_session *session, const aws_config *config)
{
    aws_config *c = &session->config;

    memset(session, 0, sizeof *session);
    if (config)
        *c = *config;
#ifdef AWS_I_DEFAULT_PORT
    if (!c->port)
        c->port = AWS_I_DEFAULT_PORT();
    if (!c->explain)
        c->explain = aws_explain_signature;
#if !defined(AWS_NO_TLS) && !defined(AWS_SMALL)
    if (!c->bounded)
        c->bounded = aws_bounded_answers;
#endif
#endif
    if (!c->features)
        c->features = &aws_i_default_features;
    session->floor = c->clock_floor;
    if (!c->anonymous) {
        const char *id = c->access_key_id, *secret = c->secret_access_key;
        session->keys.access_key_id = id;
        session->keys.secret_access_key = secret;
        session->keys.session_token = c->session_token;
        session->provided = c->provider && !id && !secret;
    }
    if (c->features->environment)
        c->features->environment(session, NULL);
    c->connect_timeout = c->connect_timeout ? c->connect_timeout : 60000;
    c->read_timeout = c->read_timeout ? c->read_timeout : 60000;
    if (session->keys.session_token && !*session->keys.session_token)
        session->keys.session_token = NULL;
    return 0;
}

AWS_API const char *aws_session_region(const aws_session *session)
{
    return session->config.region;
}

AWS_API const char *aws_session_access_key_id(const aws_session *session)
{
    return session->keys.access_key_id;
}

AWS_API int64_t aws_session_expiration(const aws_session *session)
{
    return session->keys.expiration;
}

AWS_API void aws_session_close(aws_session *session)
{
    aws_i_wipe(session, sizeof *session);
}

static int aws_i_carve_all(aws_client *client, void *memory, size_t size, int tls)
{
    unsigned char *at = (unsigned char *)memory, *end = at + size;
    size_t items = AWS_I_ITEMS;
    size_t needed = aws_client_memory(client->port, tls ? AWS_MEMORY_TLS_BOUNDED : AWS_MEMORY_HTTP);

    if (!memory || size < needed) {
        client->failure.needed = needed;
        return aws_i_fail(client, memory ? -AWS_ERR_MEMORY : AWS_REASON_NO_MEMORY, NULL);
    }
    at += (AWS_I_ALIGN - (uintptr_t)at % AWS_I_ALIGN) % AWS_I_ALIGN;
    client->memory = memory;
    client->memory_size = size;
    if (tls)
        needed = aws_client_memory(client->port, AWS_MEMORY_TLS);
    if (size >= AWS_I_MANY && size >= needed + AWS_I_ITEMS * sizeof(aws_i_item))
        items *= 2;
    client->item_room = items;
    client->items =
        (aws_i_item *)(void *)aws_i_carve(&at, aws_i_align(items * sizeof(aws_i_item)));
    client->hash = aws_i_carve(&at, aws_i_align(sizeof(aws_i_sha256)));
    client->sum = aws_i_carve(&at, aws_i_align(sizeof(aws_i_sum)));
    client->signing_key = aws_i_carve(&at, aws_i_align(sizeof(aws_i_key_states)));
#ifndef AWS_NO_TLS
    client->ranges = (aws_i_ranges *)(void *)aws_i_carve(&at, aws_i_ranges_size(tls));
#endif
    aws_i_carve_connection(client, at, end, tls);
#ifndef AWS_NO_TLS
    if (tls && client->connection.record_size < AWS_I_RECORD_FULL) {
        client->bounded = aws_i_config(client)->bounded;
        memset(client->ranges, 0, sizeof *client->ranges);
    }
#endif
    return 0;
}

/* The functions that no port can do without. */
static int aws_i_port_complete(const aws_port *port)
{
    return port && port->open && port->send && port->recv && port->close && port->now &&
           port->ticks && port->entropy;
}

static int aws_i_init(aws_client *client, void *memory, size_t size)
{
    const aws_config *config = aws_i_config(client);
    const aws_session *session = client->session;
    int fault, tls;

    if (!aws_i_port_complete(client->port))
        return aws_i_fail(client, AWS_REASON_PORT, NULL);
    if (!client->region)
        return aws_i_fail(client, AWS_REASON_NO_REGION, NULL);
    if (!aws_i_is_region(client->region))
        return aws_i_fail(client, AWS_REASON_REGION, client->region);
    if (client->service->host)
        client->region = client->service->host(client->region, NULL);
    if (aws_i_init_endpoint(client) < 0)
        return AWS_ERR_PARAM;
    tls = client->endpoint_secure && !(client->port->flags & AWS_PORT_TLS);
#ifdef AWS_NO_TLS
    if (tls)
        return aws_i_fail(client, AWS_REASON_NO_TLS, NULL);
#else
    if (config->tls_name &&
        aws_i_is_host(config->tls_name, strlen(config->tls_name)) != AWS_I_ENDPOINT_NAME)
        return aws_i_fail(client, AWS_REASON_TLS_NAME, config->tls_name);
#endif
    if (config->user_agent_extra && !aws_i_printable(config->user_agent_extra))
        return aws_i_fail(client, AWS_REASON_USER_AGENT, NULL);
    if (!config->features->retries && (config->max_attempts > 1 || config->retry_mode))
        return aws_i_fail(client, AWS_REASON_FEATURE, "retries");
    if (session->provided) {
        if (!config->features->refresh)
            return aws_i_fail(client, AWS_REASON_FEATURE, "refresh");
    } else if (!client->anonymous && (fault = aws_i_keys_fault(&session->keys)) != 0) {
        return aws_i_fail(client, fault, NULL);
    }
    return aws_i_carve_all(client, memory, size, tls);
}

AWS_API int aws_client_init(aws_client *client, aws_session *session, const aws_service *service,
                            void *memory, size_t size)
{
    aws_i_client_start(client, session, service);
    client->broken = aws_i_init(client, memory, size);
    return client->broken;
}

AWS_API int aws_client_close(aws_client *client)
{
    int r;

    if (!client->memory)
        return 0;
    aws_client_cancel(client);
    aws_i_release_keys(client); /* presigning may have begun to ask for some */
    client->pending = 0;
    aws_i_back(client);
    do
        r = aws_i_close(client);
    while (r == AWS_AGAIN && (r = aws_i_wait(client)) == 0 && !client->pending);
    if (r == AWS_AGAIN) /* a port that doesn't get there in read_timeout is left behind */
        return r;
    aws_i_express(client, NULL);
    aws_i_wipe(client->memory, client->memory_size);
    aws_i_wipe(client->signature, sizeof client->signature);
    client->memory = NULL;
    client->scratch = NULL;
    client->broken = aws_i_fail(client, AWS_REASON_CLIENT_CLOSED, NULL);
    return 0;
}

/* ---- Trust anchors ---- */

#ifndef AWS_NO_TLS

/* The anchors array grows from the front of the memory, names and keys from its end; the
 * decoders live in the middle while a file is read. */
typedef struct aws_i_pem {
    br_pem_decoder_context  pem;
    br_x509_decoder_context x509;
    unsigned char           name[256];
    size_t                  name_size;
    int                     inside, bad, started;
} aws_i_pem;

AWS_API int aws_trust_init(aws_trust *trust, void *memory, size_t size)
{
    aws_i_pem *pem = (aws_i_pem *)memory;

    memset(trust, 0, sizeof *trust);
    trust->needed = trust->taken = aws_i_align(sizeof *pem);
    if (size < sizeof *pem)
        return AWS_ERR_MEMORY;
    trust->memory = (unsigned char *)memory;
    trust->size = size / AWS_I_ALIGN * AWS_I_ALIGN;
    trust->used = aws_i_align(sizeof *pem);
    trust->tail = trust->size;
    trust->anchors = trust->memory + trust->used;
    memset(pem, 0, sizeof *pem);
    br_pem_decoder_init(&pem->pem);
    return 0;
}

static void aws_i_trust_name(void *context, const void *data, size_t size)
{
    aws_i_pem *pem = (aws_i_pem *)context;

    if (size > sizeof pem->name - pem->name_size) {
        pem->bad = 1;
        return;
    }
    memcpy(pem->name + pem->name_size, data, size);
    pem->name_size += size;
}

static void aws_i_trust_der(void *context, const void *data, size_t size)
{
    aws_i_pem *pem = (aws_i_pem *)context;

    br_x509_decoder_push(&pem->x509, data, size);
}

/* A copy of data at the end of the memory; NULL if there is no room. */
static unsigned char *aws_i_trust_copy(aws_trust *trust, const unsigned char *data, size_t size)
{
    trust->taken += size;
    if (size > trust->tail - trust->used)
        return NULL;
    trust->tail -= size;
    memcpy(trust->memory + trust->tail, data, size);
    return trust->memory + trust->tail;
}

/* A certificate has ended: take its name and key. */
static int aws_i_trust_take(aws_trust *trust, aws_i_pem *pem)
{
    br_x509_pkey *key = br_x509_decoder_get_pkey(&pem->x509);
    br_x509_trust_anchor anchor;
    int fits = 1;

    if (!key || pem->bad || !br_x509_decoder_isCA(&pem->x509))
        return 0;
    memset(&anchor, 0, sizeof anchor);
    trust->taken += sizeof anchor;
    anchor.flags = BR_X509_TA_CA;
    anchor.dn.len = pem->name_size;
    fits &= (anchor.dn.data = aws_i_trust_copy(trust, pem->name, pem->name_size)) != NULL;
    anchor.pkey = *key;
    if (key->key_type == BR_KEYTYPE_RSA) {
        fits &= (anchor.pkey.key.rsa.n =
                     aws_i_trust_copy(trust, key->key.rsa.n, key->key.rsa.nlen)) != NULL;
        fits &= (anchor.pkey.key.rsa.e =
                     aws_i_trust_copy(trust, key->key.rsa.e, key->key.rsa.elen)) != NULL;
    } else {
        fits &= (anchor.pkey.key.ec.q = aws_i_trust_copy(trust, key->key.ec.q, key->key.ec.qlen)) !=
                NULL;
    }
    if (!fits || sizeof anchor > trust->tail - trust->used)
        return AWS_ERR_MEMORY;
    memcpy(trust->memory + trust->used, &anchor, sizeof anchor);
    trust->used += sizeof anchor;
    trust->count++;
    return 0;
}

AWS_API int aws_trust_add(aws_trust *trust, const void *data, size_t size)
{
    aws_i_pem *pem = (aws_i_pem *)(void *)trust->memory;
    const unsigned char *from = aws_i_bytes(data);
    int result = 0;

    if (!pem)
        return AWS_ERR_MEMORY;
    while (size) {
        size_t taken = br_pem_decoder_push(&pem->pem, from, size);
        int event = br_pem_decoder_event(&pem->pem);
        from += taken;
        size -= taken;
        if (event == BR_PEM_BEGIN_OBJ) {
            pem->inside = aws_i_equal(br_pem_decoder_name(&pem->pem), "CERTIFICATE");
            pem->bad = 0;
            pem->name_size = 0;
            br_x509_decoder_init(&pem->x509, aws_i_trust_name, pem);
            br_pem_decoder_setdest(&pem->pem, pem->inside ? aws_i_trust_der : NULL, pem);
        } else if (event == BR_PEM_END_OBJ) {
            if (pem->inside && aws_i_trust_take(trust, pem) < 0)
                result = AWS_ERR_MEMORY;
            pem->inside = 0;
        } else if (event == BR_PEM_ERROR) {
            return AWS_ERR_PARAM;
        } else if (!taken) {
            break;
        }
    }
    trust->needed = aws_i_align(trust->taken);
    if (result < 0 || trust->needed > trust->size)
        return AWS_ERR_MEMORY;
    return (int)aws_i_int_max(trust->count);
}

/* ---- Client certificates ---- */

enum { AWS_I_CHAIN = 4 };

/* At the begin of the identity's memory; certificates and key follow. */
typedef struct aws_i_identity {
    br_x509_certificate chain[AWS_I_CHAIN];
    size_t              count;
    int                 type; /* BR_KEYTYPE_* */
    br_ec_private_key   ec;
    br_rsa_private_key  rsa;
} aws_i_identity;

typedef struct aws_i_identity_reader {
    br_skey_decoder_context key;
    unsigned char          *at; /* what is stored */
    size_t                  left, taken;
    int                     is_key;
} aws_i_identity_reader;

/* Keep bytes; NULL if there is no room, but they are counted. */
static unsigned char *aws_i_identity_keep(aws_i_identity_reader *reader, const void *data,
                                          size_t size)
{
    unsigned char *kept = reader->at;

    reader->taken += size;
    if (size > reader->left || !kept) {
        reader->at = NULL;
        return NULL;
    }
    memcpy(kept, data, size);
    reader->at += size;
    reader->left -= size;
    return kept;
}

static void aws_i_identity_der(void *context, const void *data, size_t size)
{
    aws_i_identity_reader *reader = (aws_i_identity_reader *)context;

    if (reader->is_key)
        br_skey_decoder_push(&reader->key, data, size);
    else
        aws_i_identity_keep(reader, data, size);
}

/* A certificate has been stored. */
static int aws_i_identity_certificate(aws_i_identity *i, aws_i_identity_reader *reader,
                                      size_t before)
{
    if (i->count == AWS_I_CHAIN)
        return AWS_ERR_PARAM;
    i->chain[i->count].data_len = reader->taken - before;
    i->chain[i->count].data = reader->at ? reader->at - (reader->taken - before) : NULL;
    i->count++;
    return 0;
}

/* PEM or DER: 0 or AWS_ERR_PARAM. */
static int aws_i_identity_read(aws_i_identity *i, aws_i_identity_reader *reader, const void *data,
                               size_t size)
{
    const unsigned char *from = aws_i_bytes(data);
    size_t before = reader->taken, n;
    br_pem_decoder_context pem;
    int event, found = 0;

    if (size && from[0] == 0x30) {
        aws_i_identity_der(reader, data, size);
        return reader->is_key ? 0 : aws_i_identity_certificate(i, reader, before);
    }
    br_pem_decoder_init(&pem);
    for (; size; from += n, size -= n) {
        n = br_pem_decoder_push(&pem, from, size);
        event = br_pem_decoder_event(&pem);
        if (event == BR_PEM_BEGIN_OBJ) {
            const char *name = br_pem_decoder_name(&pem), *key = aws_i_within(name, "PRIVATE KEY");
            found = reader->is_key ? key && !aws_i_within(name, "ENCRYPTED")
                                   : aws_i_equal(name, "CERTIFICATE");
            before = reader->taken;
            br_pem_decoder_setdest(&pem, found ? aws_i_identity_der : NULL, reader);
        } else if (event == BR_PEM_END_OBJ && found) {
            if (reader->is_key)
                break;
            if (aws_i_identity_certificate(i, reader, before) < 0)
                return AWS_ERR_PARAM;
        } else if (event == BR_PEM_ERROR) {
            return AWS_ERR_PARAM;
        }
    }
    aws_i_wipe(&pem, sizeof pem);
    return 0;
}

/* Take over the key that was decoded: 0 or AWS_ERR_PARAM. */
static int aws_i_identity_key(aws_i_identity *i, aws_i_identity_reader *reader)
{
    const br_ec_private_key *ec = br_skey_decoder_get_ec(&reader->key);
    const br_rsa_private_key *rsa = br_skey_decoder_get_rsa(&reader->key);

    i->type = br_skey_decoder_key_type(&reader->key);
    if (br_skey_decoder_last_error(&reader->key) || (!ec && !rsa))
        return AWS_ERR_PARAM;
    if (ec) {
        i->ec = *ec;
        i->ec.x = aws_i_identity_keep(reader, ec->x, ec->xlen);
        return 0;
    }
    i->rsa = *rsa;
    i->rsa.p = aws_i_identity_keep(reader, rsa->p, rsa->plen);
    i->rsa.q = aws_i_identity_keep(reader, rsa->q, rsa->qlen);
    i->rsa.dp = aws_i_identity_keep(reader, rsa->dp, rsa->dplen);
    i->rsa.dq = aws_i_identity_keep(reader, rsa->dq, rsa->dqlen);
    i->rsa.iq = aws_i_identity_keep(reader, rsa->iq, rsa->iqlen);
    return 0;
}

static void aws_i_identity_present(const aws_identity *identity, void *context)
{
    br_ssl_client_context *client = (br_ssl_client_context *)context;
    const aws_i_identity *i = (const aws_i_identity *)identity->memory;

    if (i->type == BR_KEYTYPE_EC)
        br_ssl_client_set_single_ec(client, i->chain, i->count, &i->ec, BR_KEYTYPE_SIGN,
                                    BR_KEYTYPE_EC, br_ssl_engine_get_ec(&client->eng),
                                    br_ecdsa_sign_asn1_get_default());
    else
        br_ssl_client_set_single_rsa(client, i->chain, i->count, &i->rsa,
                                     br_rsa_pkcs1_sign_get_default());
}

AWS_API int aws_identity_init(aws_identity *identity, void *memory, size_t size,
                              const void *certificates, size_t certificates_size, const void *key,
                              size_t key_size)
{
    aws_i_identity_reader reader;
    aws_i_identity none, *i = size >= sizeof none ? (aws_i_identity *)memory : &none;
    int r;

    memset(identity, 0, sizeof *identity);
    memset(&reader, 0, sizeof reader);
    memset(i, 0, sizeof *i);
    if (i != &none) {
        reader.at = (unsigned char *)memory + sizeof none;
        reader.left = size - sizeof none;
    }
    r = aws_i_identity_read(i, &reader, certificates, certificates_size);
    reader.is_key = 1;
    br_skey_decoder_init(&reader.key);
    if (r == 0)
        r = aws_i_identity_read(i, &reader, key, key_size);
    if (r == 0)
        r = aws_i_identity_key(i, &reader);
    if (r == 0 && !i->count)
        r = AWS_ERR_PARAM;
    if (r == 0 && !reader.at)
        r = AWS_ERR_MEMORY;
    identity->needed = reader.taken + sizeof none;
    identity->memory = memory;
    identity->present = aws_i_identity_present;
    aws_i_wipe(&reader, sizeof reader);
    if (r < 0 && memory)
        aws_i_wipe(memory, size);
    return r;
}

#endif /* AWS_NO_TLS */

/* The constants in the manual must hold for the sizes as compiled. */
typedef char
    aws_i_check_http[AWS_CLIENT_MEMORY_HTTP >= AWS_I_ALIGN + AWS_I_ITEMS * sizeof(aws_i_item) +
                                                   3 * sizeof(aws_i_sha256) + 128 + 24 +
                                                   AWS_I_SCRATCH + AWS_I_AHEAD + AWS_I_OUT_HTTP
                         ? 1
                         : -1];

#ifdef AWS_I_SHORT
#pragma GCC pop_options
#endif

#ifdef __cplusplus
}
#endif

#ifdef AWS_I_PORT_HEADER
#define AWS_I_SOURCES
#include AWS_I_PORT_HEADER /* its third part: files, processes and the default session */
#endif
#endif /* AWS_IMPLEMENTATION */
