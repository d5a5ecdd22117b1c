/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUTHSVC_BREACHED_BUILD_H
#define BERTH_AUTHSVC_BREACHED_BUILD_H

/*
 * Makes a file for breached_open: FORMAT LIST OUT. FORMAT is `text` (a password a line; lines that begin with
 * `#!comment:` are none) or `sha1` (`<40 hex digits>` or `<40 hex digits>:<count>` a line). LIST is read twice. OUT
 * appears whole or not at all. Says on standard error what is wrong and in which line, never the line. 0, or the exit
 * status: 1 for the list, 2 for the arguments.
 */
int breached_build(int argc, char **argv);

#endif
