package main

// code is the stable name of a finding. FINDINGS.md explains each, and what to do.
type code int

// kind is what all findings of one code have in common.
type kind struct {
	id     string // as in the report and in FINDINGS.md
	group  string
	status status
	waits  bool   // waiting alone may change it
	title  string // what the finding is, in a few words
}

const (
	keyGood code = iota
	keyNotGiven
	keyMalformed
	keySecret
	keyDevelopment
	secretGood
	secretNotGiven
	secretMalformed
	secretDevelopment
	secretDiffers
	keyDomainGood
	keyDomainPrimary
	keyDomainSecondary
	keyDomainStale
	keyDomainDiffers

	internetUnreachable
	domainMissing
	domainNotYours
	recordsImpossible
	serversGood
	serversLame
	serversAllLame
	serversUnreachable
	serversIPv6Only
	serverWithoutEDNS
	serverQuery
	serversQueryFail
	resolversFail
	resolverFails
	publicUnusable
	resolverDiffers
	resolverSilent
	dnssecExpired
	dnssecNotYetValid
	dnssecUnsigned
	dnssecMismatch
	dnssecBogus

	cnameGood
	cnameMissing
	cnameByWildcard
	cnameProxied
	cnameFlattened
	cnameReplaced
	cnameDoubled
	cnameBeside
	cnameWrong
	cnameSwapped
	cnameUnusual
	cnameTargetMissing
	cnamePending
	cnameUneven
	cnameUnknown
	zoneCut
	zoneCutLame
	idsGood
	idsDiffer

	caaGood
	caaOneMissing
	caaBlocked
	caaCritical
	caaOfTarget
	caaLookupFails
	caaUnknown

	certGood
	certNotRenewed
	certOtherIssuer
	certNotServed
	certWrongHost
	certExpired
	certNotYetValid
	certIncomplete
	certUntrusted
	tlsTooOld
	tlsNotSpoken
	certUnreachable

	apiGood
	apiKeysUnusable
	apiFails
	apiUnreachable
	clockGood
	clockBehind
	clockAhead
	clockUnknown
	issuerGood
	issuerDiffers
	issuerUnknown
	proxyGood
	proxyNotKnown
	proxyKeyRefused
	proxyFails
	proxyUnseen
	proxyCacheGood
	proxyCacheable
	proxyCached
	proxyCookiesGood
	proxyCookiesMissing
	proxyCookiesElsewhere

	partyGood
	partiesNotGiven
	partyRefused
	partyOfClerk
	partyWildcard
	partyForeign
	partyDevelopment
	partyUnresolved
	partyUnknown

	tokenGood
	tokenNotGiven
	tokenUncompared
	tokenRefused
	tokenUnknown

	codeCount
)

// catalogue has every code. A test compares it with FINDINGS.md.
var catalogue = [codeCount]kind{
	keyGood:            {"key-ok", groupKeys, ok, false, "The publishable key is a live one"},
	keyNotGiven:        {"key-not-given", groupKeys, skipped, false, "No publishable key was given"},
	keyMalformed:       {"key-malformed", groupKeys, fail, false, "The publishable key does not decode"},
	keySecret:          {"key-is-secret", groupKeys, fail, false, "A secret key was given as the publishable key"},
	keyDevelopment:     {"key-development", groupKeys, fail, false, "The publishable key belongs to a development instance"},
	secretGood:         {"secret-ok", groupKeys, ok, false, "The secret key is a live one"},
	secretNotGiven:     {"secret-not-given", groupKeys, skipped, false, "No secret key was given"},
	secretMalformed:    {"secret-malformed", groupKeys, fail, false, "The secret key is not a secret key"},
	secretDevelopment:  {"secret-development", groupKeys, fail, false, "The secret key belongs to a development instance"},
	secretDiffers:      {"secret-differs", groupKeys, fail, false, "The two keys are of different kinds"},
	keyDomainGood:      {"key-domain-ok", groupKeys, ok, false, "The publishable key belongs to this domain"},
	keyDomainPrimary:   {"key-domain-primary", groupKeys, fail, false, "The publishable key belongs to the primary application"},
	keyDomainSecondary: {"key-domain-secondary", groupKeys, fail, false, "The publishable key belongs to a secondary application"},
	keyDomainStale:     {"key-domain-stale", groupKeys, fail, false, "The publishable key belongs to an earlier domain"},
	keyDomainDiffers:   {"key-domain-differs", groupKeys, fail, false, "The publishable key belongs to another domain"},

	internetUnreachable: {"internet-unreachable", groupDNS, unknown, true, "The internet cannot be reached from here"},
	domainMissing:       {"domain-missing", groupDNS, fail, false, "The domain does not exist"},
	domainNotYours:      {"domain-not-yours", groupDNS, fail, false, "Clerk needs a domain that you own"},
	recordsImpossible:   {"records-not-possible", groupDNS, skipped, false, "The records cannot be added there"},
	serversGood:         {"name-servers-ok", groupDNS, ok, false, "All name servers answer for the domain"},
	serversLame:         {"name-servers-lame", groupDNS, warn, false, "A name server does not answer for the domain"},
	serversAllLame:      {"name-servers-all-lame", groupDNS, fail, false, "No name server answers for the domain"},
	serversUnreachable:  {"name-servers-unreachable", groupDNS, warn, true, "The name servers cannot be queried from here"},
	serversIPv6Only:     {"name-servers-ipv6-only", groupDNS, warn, false, "The name servers have IPv6 addresses only"},
	serverWithoutEDNS:   {"name-server-edns", groupDNS, warn, false, "A name server drops queries with EDNS"},
	serverQuery:         {"name-server-query", groupDNS, warn, false, "A name server fails on some queries only"},
	serversQueryFail:    {"name-servers-query-fail", groupDNS, fail, false, "The name servers fail on the query for the CNAME"},
	resolversFail:       {"resolvers-fail", groupDNS, fail, false, "Public resolvers fail on the domain"},
	resolverFails:       {"resolver-fails", groupDNS, warn, true, "One public resolver fails, others do not"},
	publicUnusable:      {"public-resolvers-unusable", groupDNS, unknown, true, "No public resolver could be queried"},
	resolverDiffers:     {"resolver-differs", groupDNS, warn, true, "The resolver of this machine disagrees with public resolvers"},
	resolverSilent:      {"resolver-silent", groupDNS, warn, true, "The resolver of this machine does not answer"},
	dnssecExpired:       {"dnssec-expired", groupDNS, fail, false, "DNSSEC: the signatures have expired"},
	dnssecNotYetValid:   {"dnssec-not-yet-valid", groupDNS, fail, false, "DNSSEC: the signatures are not valid yet"},
	dnssecUnsigned:      {"dnssec-unsigned", groupDNS, fail, false, "DNSSEC: the zone is not signed, but has a DS record"},
	dnssecMismatch:      {"dnssec-ds-mismatch", groupDNS, fail, false, "DNSSEC: the DS record belongs to another key"},
	dnssecBogus:         {"dnssec-bogus", groupDNS, fail, false, "DNSSEC: validation fails"},

	cnameGood:          {"cname-ok", groupDNS, ok, false, "The CNAME is right, and seen everywhere"},
	cnameMissing:       {"cname-missing", groupDNS, fail, false, "The CNAME is not there"},
	cnameByWildcard:    {"cname-wildcard", groupDNS, warn, false, "The CNAME exists only by a wildcard"},
	cnameProxied:       {"cname-proxied", groupDNS, fail, false, "Proxied by Cloudflare"},
	cnameFlattened:     {"cname-flattened", groupDNS, fail, false, "The CNAME is flattened to addresses"},
	cnameReplaced:      {"cname-replaced", groupDNS, fail, false, "There are other records in place of the CNAME"},
	cnameDoubled:       {"cname-doubled", groupDNS, fail, false, "The zone's name was appended twice"},
	cnameBeside:        {"cname-beside", groupDNS, fail, false, "There are other records beside the CNAME"},
	cnameWrong:         {"cname-wrong-target", groupDNS, fail, false, "The CNAME leads somewhere else"},
	cnameSwapped:       {"cname-swapped", groupDNS, fail, false, "The CNAME has the target of another record"},
	cnameUnusual:       {"cname-unusual-target", groupDNS, warn, false, "The CNAME leads to an unusual name of Clerk's"},
	cnameTargetMissing: {"cname-target-missing", groupDNS, fail, false, "The target of the CNAME does not exist"},
	cnamePending:       {"cname-pending", groupDNS, fail, true, "The CNAME is right, but not yet seen everywhere"},
	cnameUneven:        {"cname-uneven", groupDNS, fail, true, "The name servers disagree"},
	cnameUnknown:       {"cname-unknown", groupDNS, unknown, true, "The CNAME could not be looked up"},
	zoneCut:            {"zone-cut", groupDNS, fail, false, "The name is delegated to other name servers"},
	zoneCutLame:        {"zone-cut-lame", groupDNS, fail, false, "A name above the CNAME is delegated to servers that fail"},
	idsGood:            {"instance-id-ok", groupDNS, ok, false, "The mail records belong to one instance"},
	idsDiffer:          {"instance-ids-differ", groupDNS, fail, false, "The mail records belong to different instances"},

	caaGood:        {"caa-ok", groupCAA, ok, false, "Both of Clerk's authorities may issue"},
	caaOneMissing:  {"caa-one-missing", groupCAA, warn, false, "CAA permits only one of Clerk's two authorities"},
	caaBlocked:     {"caa-blocked", groupCAA, fail, false, "CAA permits neither of Clerk's authorities"},
	caaCritical:    {"caa-critical-unknown", groupCAA, fail, false, "A critical CAA property that no authority knows blocks all issuance"},
	caaOfTarget:    {"caa-of-target", groupCAA, fail, false, "CAA records of the CNAME's target restrict who may issue"},
	caaLookupFails: {"caa-lookup-fails", groupCAA, fail, false, "CAA cannot be looked up, which forbids issuance"},
	caaUnknown:     {"caa-unknown", groupCAA, unknown, true, "CAA could not be looked up from here"},

	certGood:        {"cert-ok", groupCerts, ok, false, "The certificate is valid"},
	certNotRenewed:  {"cert-not-renewed", groupCerts, warn, true, "The certificate should have been renewed by now"},
	certOtherIssuer: {"cert-other-issuer", groupCerts, warn, false, "The certificate was not issued by one of Clerk's authorities"},
	certNotServed:   {"cert-not-served", groupCerts, fail, true, "No certificate is served yet"},
	certWrongHost:   {"cert-wrong-host", groupCerts, fail, true, "The certificate served is for other names"},
	certExpired:     {"cert-expired", groupCerts, fail, false, "The certificate has expired"},
	certNotYetValid: {"cert-not-yet-valid", groupCerts, fail, false, "The certificate is not valid yet"},
	certIncomplete:  {"cert-chain-incomplete", groupCerts, fail, false, "The server leaves out an intermediate certificate"},
	certUntrusted:   {"cert-untrusted", groupCerts, fail, false, "The certificate was issued by an authority that is not trusted"},
	tlsTooOld:       {"tls-too-old", groupCerts, fail, false, "The server speaks no TLS newer than 1.1"},
	tlsNotSpoken:    {"tls-not-spoken", groupCerts, fail, false, "Port 443 does not speak TLS"},
	certUnreachable: {"cert-unreachable", groupCerts, unknown, true, "The server could not be reached from here"},

	apiGood:         {"api-ok", groupAPI, ok, false, "The keys can be fetched and used"},
	apiKeysUnusable: {"api-keys-unusable", groupAPI, fail, true, "The Frontend API serves no usable keys"},
	apiFails:        {"api-not-reachable", groupAPI, fail, true, "The Frontend API does not answer"},
	apiUnreachable:  {"api-unknown", groupAPI, unknown, true, "The Frontend API could not be reached from here"},
	clockGood:       {"clock-ok", groupAPI, ok, false, "The clock of this machine is right"},
	clockBehind:     {"clock-behind", groupAPI, fail, false, "The clock of this machine is behind"},
	clockAhead:      {"clock-ahead", groupAPI, fail, false, "The clock of this machine is ahead"},
	clockUnknown:    {"clock-unknown", groupAPI, unknown, true, "The clock could not be compared"},
	issuerGood:      {"issuer-ok", groupAPI, ok, false, "The Frontend API belongs to this instance"},
	issuerDiffers:   {"issuer-differs", groupAPI, fail, false, "The Frontend API belongs to another instance"},
	issuerUnknown:   {"issuer-unknown", groupAPI, warn, true, "The Frontend API does not say to which instance it belongs"},

	proxyGood:             {"proxy-ok", groupAPI, ok, false, "Clerk answers scripts through the proxy"},
	proxyNotKnown:         {"proxy-not-known", groupAPI, fail, true, "Clerk does not know the proxy"},
	proxyKeyRefused:       {"proxy-key-refused", groupAPI, fail, false, "Clerk refuses the secret key of the proxy"},
	proxyFails:            {"proxy-fails", groupAPI, fail, true, "The proxy does not pass on the requests of scripts"},
	proxyUnseen:           {"proxy-unknown", groupAPI, unknown, true, "The proxy could not be checked"},
	proxyCacheGood:        {"proxy-cache-ok", groupAPI, ok, false, "No cache keeps the answers of the proxy"},
	proxyCacheable:        {"proxy-cacheable", groupAPI, warn, false, "A cache may keep the answers of the proxy"},
	proxyCached:           {"proxy-cached", groupAPI, fail, false, "A cache answers instead of the proxy"},
	proxyCookiesGood:      {"proxy-cookies-ok", groupAPI, ok, false, "Cookies come through the proxy"},
	proxyCookiesMissing:   {"proxy-cookies-missing", groupAPI, warn, false, "No cookie comes through the proxy"},
	proxyCookiesElsewhere: {"proxy-cookies-elsewhere", groupAPI, fail, false, "Browsers refuse the cookies that come through the proxy"},

	partyGood:        {"party-ok", groupParties, ok, false, "The entry is accepted"},
	partiesNotGiven:  {"parties-not-given", groupParties, skipped, false, "No authorized parties were given"},
	partyRefused:     {"party-refused", groupParties, fail, false, "The middleware does not start with this entry"},
	partyOfClerk:     {"party-of-clerk", groupParties, fail, false, "The entry is a host of Clerk's own"},
	partyWildcard:    {"party-wildcard", groupParties, warn, false, "The entry lets many names in"},
	partyForeign:     {"party-foreign", groupParties, warn, false, "The entry belongs to another domain"},
	partyDevelopment: {"party-development", groupParties, warn, false, "A development entry is in a production list"},
	partyUnresolved:  {"party-unresolved", groupParties, fail, false, "No page can run at this entry"},
	partyUnknown:     {"party-unknown", groupParties, unknown, true, "The entry could not be looked up"},

	tokenGood:       {"token-ok", groupToken, ok, false, "The middleware accepts the token"},
	tokenNotGiven:   {"token-not-given", groupToken, skipped, false, "No session token was given"},
	tokenUncompared: {"token-not-compared", groupToken, warn, false, "The token is accepted, without an allowlist"},
	tokenRefused:    {"token-refused", groupToken, fail, false, "The middleware refuses the token"},
	tokenUnknown:    {"token-unknown", groupToken, unknown, true, "The token could not be judged"},
}
