-- Asks clerk-gate about each request. haproxy.cfg beside this file shows how it is loaded and used.
--
--   http-request lua.clerk-gate /auth?role=org:admin if { … }
--   http-request deny deny_status 503 unless { var(txn.clerk_passed) -m bool }
--   http-response lua.clerk-gate-cookies
--
-- The second line is what keeps requests out when this script fails.

-- HAProxy's own listener that passes requests on to clerk-gate.
local gate = "127.0.0.1:4181"

local identity = {
	"x-clerk-user-id", "x-clerk-session-id", "x-clerk-org-id", "x-clerk-org-slug", "x-clerk-org-role",
	"x-clerk-permissions", "x-clerk-auth-status",
}

-- Headers of a connection, not of a request, and those that this script sets itself.
local left_out = {
	["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true,
	["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true,
	["x-forwarded-method"] = true, ["x-forwarded-host"] = true, ["x-forwarded-uri"] = true, ["x-forwarded-proto"] = true,
}

-- values is a header's lines as a list that begins at 1, as the HTTP client wants it.
local function values(lines)
	local list = {}
	for i = 0, #lines do
		list[#list + 1] = lines[i]
	end
	return list
end

local function question(txn, sent)
	local header = {}
	for name, lines in pairs(sent) do
		if not left_out[name] then
			header[name] = values(lines)
		end
	end
	header["x-forwarded-method"] = { txn.f:method() }
	header["x-forwarded-host"] = values(sent["host"] or {})
	header["x-forwarded-uri"] = { txn.f:pathq() }
	header["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
	return header
end

-- A refusal goes to the client as it is.
local function refuse(txn, answer)
	local reply = txn:reply({ status = answer.status, reason = answer.reason })
	for name, lines in pairs(answer.headers or {}) do
		if not left_out[name] then
			for _, value in pairs(lines) do
				reply:add_header(name, value)
			end
		end
	end
	reply:set_body(answer.body or "")
	txn:done(reply)
end

core.register_action("clerk-gate", { "http-req" }, function(txn, path)
	txn:set_var("txn.clerk_passed", false)
	local sent = txn.http:req_get_headers()
	local answer = core.httpclient():get({ url = "http://" .. gate .. path, headers = question(txn, sent) })
	local header = answer and answer.headers or {}
	if not answer or answer.status ~= 204 or not header["x-clerk-auth-status"] then
		if answer and answer.status >= 300 and answer.status ~= 502 and answer.status ~= 504 then
			refuse(txn, answer)
		end
		return
	end
	-- An app may read X_Clerk-User.Id as X-Clerk-User-Id: every client header with such a name goes. Names are in lower case here.
	for name in pairs(sent) do
		if name:find("clerk", 1, true) then
			txn.http:req_del_header(name)
		end
	end
	for _, name in ipairs(identity) do
		txn.http:req_set_header(name, header[name] and header[name][0] or "")
	end
	-- Clerk's cookies and bearer tokens stay here. An app that needs them goes without this loop.
	for _, name in ipairs({ "cookie", "authorization" }) do
		txn.http:req_del_header(name)
		for _, value in pairs(header[name] or {}) do
			txn.http:req_add_header(name, value)
		end
	end
	txn:set_priv({ cookies = header["set-cookie"], cache = header["cache-control"] })
	txn:set_var("txn.clerk_passed", true)
end, 1)

-- A renewed session reaches the browser with the app's answer, which must then not be cached.
core.register_action("clerk-gate-cookies", { "http-res" }, function(txn)
	local renewed = txn:get_priv()
	if not renewed or not renewed.cookies then
		return
	end
	for _, cookie in pairs(renewed.cookies) do
		txn.http:res_add_header("set-cookie", cookie)
	end
	if renewed.cache then
		-- Some caches believe the others before Cache-Control.
		txn.http:res_set_header("cache-control", renewed.cache[0])
		txn.http:res_del_header("expires")
		txn.http:res_del_header("surrogate-control")
		txn.http:res_del_header("cdn-cache-control")
	end
end)
