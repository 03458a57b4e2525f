/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PKI_H
#define PKI_H

#include <openssl/ssl.h>

/*
 * pki: an authority and what it issues, made anew for each test in a folder of
 * its own, and a second authority that nobody trusts.
 */
struct pki {
	char dir[64];
	char ca[96], other_ca[96];
	char server_cert[96], server_key[96]; /* localhost, 127.0.0.1 */
	char named_cert[96], named_key[96];   /* siem.example only */
	char expired_cert[96], expired_key[96];
	char client_cert[96], client_key[96];
	char stranger_cert[96], stranger_key[96]; /* a client's, of the other authority */
};

void pki_make(struct pki *p);
/* Removes the folder. */
void pki_remove(struct pki *p);
/* A server's context; with asks it demands a client certificate of our authority. */
SSL_CTX *pki_server(const struct pki *p, const char *cert, const char *key, int asks);

/* An app's: a certificate that signs itself and its RSA key, as files of dir. */
struct rsa_pair {
	char cert[96], key[96];
};
/* bits 1: no RSA at all. It ends in days. passphrase NULL: the key is not encrypted. */
void rsa_pair_make(struct rsa_pair *p, const char *dir, const char *name, unsigned bits, long days,
    const char *passphrase);

#endif
