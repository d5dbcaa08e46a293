/* test_xml_small.c - the same with AWS_SMALL: without the fast ways, and UTF-8 is not checked.
 *
 * SPDX-License-Identifier: MIT
 */
#define AWS_SMALL
#include "test_xml.c"
