using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Ashlar.Server.Tests.Api;

public sealed class ApiTests : ServedApi
{
    const string Volumes = "/v1/pools/main/volumes";

    [Fact]
    public async Task A_volume_is_created_read_changed_and_deleted()
    {
        var (status, created) = await SendAsync(HttpMethod.Post, Volumes, """{"name":"vm1","sizeBytes":1073741824}""");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal("Volume", created.GetProperty("kind").GetString());
        Assert.Equal($"{Server.Status.Endpoints.Nbd}/vm1", created.GetProperty("addresses").GetProperty("nbd").GetString());

        var (_, list) = await SendAsync(HttpMethod.Get, Volumes);
        Assert.Equal("vm1", Assert.Single(list.GetProperty("items").EnumerateArray()).GetProperty("name").GetString());

        var (_, changed) = await SendAsync(HttpMethod.Patch, $"{Volumes}/vm1", """{"sizeBytes":2147483648}""");
        Assert.Equal(2147483648, changed.GetProperty("sizeBytes").GetInt64());

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"{Volumes}/vm1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, $"{Volumes}/vm1")).Status);
    }

    [Fact]
    public async Task A_pool_grows_while_it_is_served()
    {
        var (status, pool) = await SendAsync(HttpMethod.Patch, "/v1/pools/main", $$"""{"capacityBytes":{{96 << 20}}}""");
        Assert.Equal((HttpStatusCode.OK, "Pool"), (status, pool.GetProperty("kind").GetString()));
        Assert.Equal(96 << 20, pool.GetProperty("capacityBytes").GetInt64());
        var (created, _) = await SendAsync(HttpMethod.Post, Volumes, $$"""{"name":"all","sizeBytes":{{96 << 20}},"isThick":true}""");
        Assert.Equal(HttpStatusCode.Created, created);
        await Server.StopAsync(); // All of the log is written then.
        Assert.Contains("pool main: grown from 64 MiB to 96 MiB, by 127.0.0.1:", Server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("main", """{"capacityBytes":1048576}""", HttpStatusCode.Conflict, "cannot-shrink")]
    [InlineData("main", """{"capacityBytes":0}""", HttpStatusCode.BadRequest, "invalid-size")]
    [InlineData("main", """{"capacityBytes":9007199254740992}""", HttpStatusCode.BadRequest, "invalid-size")]
    [InlineData("main", """{"sizeBytes":1073741824}""", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("main", "{}", HttpStatusCode.BadRequest, "invalid-request")]
    [InlineData("tank", """{"capacityBytes":1073741824}""", HttpStatusCode.NotFound, "pool-not-found")]
    public async Task A_pool_that_cannot_be_changed_so_is_left_as_it_is(string pool, string body, HttpStatusCode expected, string type)
    {
        var (status, problem) = await SendAsync(HttpMethod.Patch, $"/v1/pools/{pool}", body);
        Assert.Equal((expected, $"urn:ashlar:problem:{type}"), (status, problem.GetProperty("type").GetString()));
        var (_, main) = await SendAsync(HttpMethod.Get, "/v1/pools/main");
        Assert.Equal(64 << 20, main.GetProperty("capacityBytes").GetInt64());
    }

    [Theory]
    [InlineData("/", "Index")]
    [InlineData("/v1", "Index")]
    [InlineData("/v1/status", "Status")]
    [InlineData("/v1/pools", "PoolList")]
    [InlineData("/v1/pools/main", "Pool")]
    [InlineData("/v1/pools/main/volumes", "VolumeList")]
    public async Task Every_object_names_its_version_and_kind(string url, string kind)
    {
        var (status, json) = await SendAsync(HttpMethod.Get, url);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(("ashlar/v1", kind), (json.GetProperty("apiVersion").GetString(), json.GetProperty("kind").GetString()));
    }

    [Fact]
    public async Task The_index_leads_to_all_that_can_be_read()
    {
        await SendAsync(HttpMethod.Post, Volumes, """{"name":"vm1","sizeBytes":512}""");
        var links = (await SendAsync(HttpMethod.Get, "/v1")).Body.GetProperty("links").EnumerateObject().ToArray();
        Assert.Equal(
            [
                "status", "pools", "pool", "volumes", "volume", "trash", "catalogue", "customers", "file", "fileNodes", "metrics", "live",
                "ready", "openApi",
            ],
            links.Select(link => link.Name));
        foreach (var link in links)
        {
            var url = link.Value.GetString()!.Replace("{pool}", "main", StringComparison.Ordinal)
                .Replace("{volume}", "vm1", StringComparison.Ordinal)
                .Replace("{customer}", "main", StringComparison.Ordinal)
                .Replace("{path}", "", StringComparison.Ordinal);
            Http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync($"{Server.Data}/files/key")).Trim());
            foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
            {
                using var request = new HttpRequestMessage(method, url);
                using var response = await Http.SendAsync(request);
                Assert.True(response.IsSuccessStatusCode, $"{method} {url}: {response.StatusCode}");
                Assert.Equal(method == HttpMethod.Head, (await response.Content.ReadAsByteArrayAsync()).Length == 0);
            }
        }
    }

    [Fact]
    public async Task Times_have_one_form()
    {
        const string form = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";
        var (_, volume) = await SendAsync(HttpMethod.Post, Volumes, """{"name":"vm1","sizeBytes":512}""");
        Assert.Matches(form, volume.GetProperty("createdAt").GetString());
        Assert.Matches(form, (await SendAsync(HttpMethod.Get, "/v1/status")).Body.GetProperty("startedAt").GetString());
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    public async Task A_running_server_is_alive_and_ready(string url) => Assert.Equal("ok\n", await Http.GetStringAsync(url));

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/v1/status")]
    [InlineData("/v1/pools")]
    [InlineData("/v1/pools/main")]
    [InlineData("/v1/pools/main/volumes")]
    public async Task What_can_be_read_can_be_asked_for_without_its_body(string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, url);
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("GET /livez HTTP/1.0", 200)]
    [InlineData("HEAD /livez HTTP/1.0", 200)]
    [InlineData("GET /readyz HTTP/1.0", 200)]
    [InlineData("GET /v1/status HTTP/1.0", 421)]
    public async Task A_probe_needs_not_name_the_server(string request, int status)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{request}\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"vm1"}""", "missing: 'sizeBytes'")]
    [InlineData("""{"name":"vm1","sizeBytes":512,"colour":"red"}""", "'colour' is not a member of this object")]
    [InlineData("""{"name":"vm1","sizeBytes":512,"sizeBytes":1024}""", "'sizeBytes' is given twice")]
    [InlineData("""{"name":"vm1","sizeBytes":"512"}""", "the value of 'sizeBytes' is not of the kind that belongs there")]
    [InlineData("""{"name":null,"sizeBytes":512}""", "the value of 'name' is not of the kind that belongs there")]
    [InlineData("""{"name":"vm1","sizeBytes":512""", "the body is not valid JSON: line 1, byte 30")]
    [InlineData("", "the request needs a body that is a JSON object")]
    [InlineData("null", "the request needs a body that is a JSON object")]
    public async Task What_is_wrong_with_a_body_is_said_in_plain_words(string body, string detail) =>
        Assert.Equal(detail, (await SendAsync(HttpMethod.Post, Volumes, body)).Body.GetProperty("detail").GetString());

    [Theory]
    [InlineData("DELETE", "/v1/pools/main/volumes/vm1?force=perhaps", "'perhaps' is not a value of 'force': true or false")]
    [InlineData(
        "DELETE",
        "/v1/pools/main/volumes/vm1?froce=true",
        "'froce' is not a query parameter of /v1/pools/main/volumes/vm1: it takes force and now and snapshots")]
    [InlineData("DELETE", "/v1/pools/main/volumes/vm1?force=true&force=true", "'force' is given twice")]
    [InlineData("GET", "/v1/status?verbose", "'verbose' is not a query parameter of /v1/status: it takes none")]
    [InlineData("GET", "/livez?x=1", "'x' is not a query parameter of /livez: it takes none")]
    [InlineData("GET", "/v1/pools?page=2", "'page' is not a query parameter of /v1/pools: it takes limit and after")]
    [InlineData("POST", "/v1/pools/main/volumes?force=true", "'force' is not a query parameter of /v1/pools/main/volumes: it takes none")]
    [InlineData("GET", "/v1/pools/main/volumes?limit=0", "'0' is not a value of 'limit': a number from 1 to 1000")]
    [InlineData("GET", "/v1/pools/main/volumes?limit=1001", "'1001' is not a value of 'limit': a number from 1 to 1000")]
    [InlineData("GET", "/v1/pools/main/volumes?limit=-1", "'-1' is not a value of 'limit': a number from 1 to 1000")]
    [InlineData("GET", "/v1/pools/main/volumes?limit=", "'' is not a value of 'limit': a number from 1 to 1000")]
    [InlineData("GET", "/v1/pools/main/volumes?after=%2A", "'*' is not a value of 'after': take it as it stands in 'next' of a list")]
    [InlineData("GET", "/v1/pools/main/volumes?after=_w", "'_w' is not a value of 'after': take it as it stands in 'next' of a list")]
    [InlineData("PUT", "/v1/pools/main", "/v1/pools/main does not take PUT")]
    public async Task What_is_wrong_with_a_request_is_said_in_plain_words(string method, string url, string detail) =>
        Assert.Equal(detail, (await SendAsync(new HttpMethod(method), url)).Body.GetProperty("detail").GetString());

    [Theory]
    [InlineData("""{"name":"vm1"}""", 400, "invalid-request")]
    [InlineData("""{"sizeBytes":512}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":512,"colour":"red"}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":512,"sizeBytes":1024}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","SizeBytes":512}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":"512"}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":1e30}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":9223372036854775808}""", 400, "invalid-request")]
    [InlineData("""{"name":null,"sizeBytes":512}""", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":512""", 400, "invalid-request")]
    [InlineData("null", 400, "invalid-request")]
    [InlineData("[]", 400, "invalid-request")]
    [InlineData("", 400, "invalid-request")]
    [InlineData("""{"name":"vm1","sizeBytes":0}""", 400, "invalid-size")]
    [InlineData("""{"name":"vm1","sizeBytes":-512}""", 400, "invalid-size")]
    [InlineData("""{"name":"vm1","sizeBytes":513}""", 400, "invalid-size")]
    [InlineData("""{"name":"vm1","sizeBytes":9223372036854775296}""", 400, "invalid-size")]
    [InlineData("""{"name":"vm1","sizeBytes":4096,"blockSizeBytes":1024}""", 400, "invalid-size")]
    [InlineData("""{"name":"","sizeBytes":512}""", 400, "invalid-name")]
    [InlineData("""{"name":"a/b","sizeBytes":512}""", 400, "invalid-name")]
    [InlineData("""{"name":"a\u0000b","sizeBytes":512}""", 400, "invalid-name")]
    public async Task A_bad_body_is_a_problem_and_creates_nothing(string body, int status, string type)
    {
        await AssertProblemAsync(HttpMethod.Post, Volumes, body, status, type);
        Assert.Empty((await SendAsync(HttpMethod.Get, Volumes)).Body.GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "no-such-route")]
    [InlineData("GET", "/v2/status", 404, "no-such-route")]
    [InlineData("GET", "/v1/pools/tank", 404, "pool-not-found")]
    [InlineData("GET", "/v1/pools/tank/volumes", 404, "pool-not-found")]
    [InlineData("GET", "/v1/pools/main/volumes/vm1", 404, "volume-not-found")]
    [InlineData("GET", "/v1/pools/main/volumes/..%2f..%2fetc", 404, "volume-not-found")]
    [InlineData("DELETE", "/v1/pools/main/volumes/vm1", 404, "volume-not-found")]
    [InlineData("DELETE", "/v1/pools/main/volumes/vm1?force=perhaps", 400, "invalid-request")]
    [InlineData("DELETE", "/v1/pools", 405, "invalid-request")]
    [InlineData("PUT", "/v1/pools/main/volumes/vm1", 405, "invalid-request")]
    public async Task A_bad_route_is_a_problem(string method, string url, int status, string type) =>
        await AssertProblemAsync(new HttpMethod(method), url, null, status, type);

    [Fact]
    public async Task Shrinking_must_be_allowed()
    {
        await SendAsync(HttpMethod.Post, Volumes, """{"name":"vm1","sizeBytes":1073741824}""");
        await AssertProblemAsync(HttpMethod.Patch, $"{Volumes}/vm1", """{"sizeBytes":512}""", 409, "would-shrink");
        Assert.Equal(
            HttpStatusCode.OK,
            (await SendAsync(HttpMethod.Patch, $"{Volumes}/vm1", """{"sizeBytes":512,"allowShrink":true}""")).Status);
    }

    [Fact]
    public async Task A_body_that_is_not_json_is_refused()
    {
        using var content = new StringContent("""{"name":"vm1","sizeBytes":512}""", Encoding.UTF8, "text/plain");
        using var response = await Http.PostAsync(Volumes, content);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task A_huge_body_is_refused()
    {
        var body = $$"""{"name":"{{new string('x', 100_000)}}","sizeBytes":512}""";
        await AssertProblemAsync(HttpMethod.Post, Volumes, body, 413, "invalid-request");
        var (_, problem) = await SendAsync(HttpMethod.Post, Volumes, body);
        Assert.Equal("the body is larger than 65536 bytes, the most that is taken", problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:9001")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("192.0.2.1")]
    public async Task A_foreign_host_name_is_refused_even_for_reading(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/status") { Headers = { Host = host } };
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task A_write_from_a_page_of_another_origin_is_refused(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Volumes)
        {
            Content = new StringContent("""{"name":"vm1","sizeBytes":512}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add(header, value);
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Empty((await SendAsync(HttpMethod.Get, Volumes)).Body.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_write_from_our_own_origin_is_taken()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Volumes)
        {
            Content = new StringContent("""{"name":"vm1","sizeBytes":512}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Origin", Server.Status.Endpoints.Api);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var response = await Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Theory]
    [InlineData("GET /v1/status HTTP/1.1\r\n\r\n")]
    [InlineData("GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("POST /v1/pools/main/volumes HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task What_is_not_http_gets_400(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Http.BaseAddress!.Host, Http.BaseAddress.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 400 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_creates_of_one_name_one_wins()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16)
            .Select(_ => SendAsync(HttpMethod.Post, Volumes, """{"name":"vm1","sizeBytes":512}""")));
        Assert.Equal(1, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.Equal(15, answers.Count(answer => answer.Status == HttpStatusCode.Conflict));
    }

    async Task AssertProblemAsync(HttpMethod method, string url, string? body, int status, string type)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal($"urn:ashlar:problem:{type}", problem.GetProperty("type").GetString());
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        var detail = problem.GetProperty("detail").GetString()!;
        Assert.NotEqual("", detail);
        foreach (var foreign in (string[])[".NET", "System.", "Ashlar.", "arameter", "HTTP status", "Path:", "LineNumber"])
            Assert.DoesNotContain(foreign, detail, StringComparison.Ordinal);
    }

    async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(HttpMethod method, string url, string? body = null)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }
}
