using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Ashlar.Server.Tests.Api;

/// <summary>Entity tags: what somebody else has changed is not overwritten, and what has not changed is not sent again.</summary>
public sealed class EntityTagTests : ServedApi
{
    const string Volumes = "/v1/pools/main/volumes", Volume = $"{Volumes}/vm1";

    [Fact]
    public async Task What_the_reader_has_is_not_sent_again()
    {
        await CreateAsync();
        var tag = await TagAsync(Volume);
        foreach (var known in (string[])[tag, $"W/{tag}", $"\"other\", {tag}", "*"])
        {
            using var same = await SendAsync(HttpMethod.Get, Volume, ifNoneMatch: known);
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
            Assert.Equal(tag, same.Headers.ETag!.ToString());
            Assert.Empty(await same.Content.ReadAsByteArrayAsync());
        }
        using var other = await SendAsync(HttpMethod.Get, Volume, ifNoneMatch: "\"other\"");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var head = await SendAsync(HttpMethod.Head, Volume);
        Assert.Equal(tag, head.Headers.ETag!.ToString());
    }

    // What the disk below has free is part of it, and is not the test's.
    [Theory]
    [InlineData("*", HttpStatusCode.NotModified)]
    [InlineData("\"other\"", HttpStatusCode.OK)]
    public async Task A_pool_has_a_tag_too(string known, HttpStatusCode status)
    {
        using var response = await SendAsync(HttpMethod.Get, "/v1/pools/main", ifNoneMatch: known);
        Assert.Equal(status, response.StatusCode);
        Assert.NotNull(response.Headers.ETag);
    }

    [Fact]
    public async Task A_volume_that_has_changed_is_sent_again()
    {
        await CreateAsync();
        var before = await TagAsync(Volume);
        await PatchAsync("""{"sizeBytes":1048576}""");
        using var after = await SendAsync(HttpMethod.Get, Volume, ifNoneMatch: before);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.NotEqual(before, after.Headers.ETag!.ToString());
    }

    [Fact]
    public async Task Who_has_read_the_settings_changes_them_and_who_has_not_does_not()
    {
        await CreateAsync();
        var first = await TagAsync(Volume);
        using var changed = await PatchAsync("""{"sizeBytes":1048576}""", first);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        foreach (var stale in (string[])[first, "\"other\"", $"W/{changed.Headers.ETag}", "nonsense"])
        {
            using var refused = await PatchAsync("""{"sizeBytes":2097152}""", stale);
            Assert.Equal(HttpStatusCode.PreconditionFailed, refused.StatusCode);
            Assert.Equal("urn:ashlar:problem:changed", (await JsonAsync(refused)).GetProperty("type").GetString());
        }
        using var kept = await SendAsync(HttpMethod.Delete, Volume, ifMatch: first);
        Assert.Equal(HttpStatusCode.PreconditionFailed, kept.StatusCode);
        Assert.Equal(1048576, (await JsonAsync(await SendAsync(HttpMethod.Get, Volume))).GetProperty("sizeBytes").GetInt64());

        using var deleted = await SendAsync(HttpMethod.Delete, Volume, ifMatch: changed.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    [Fact]
    public async Task A_volume_that_is_in_use_is_changed_all_the_same()
    {
        await CreateAsync();
        var tag = await TagAsync(Volume);
        using var nbd = new TcpClient();
        var uri = new Uri(Server.Status.Endpoints.Nbd);
        await nbd.ConnectAsync(IPAddress.Parse(uri.Host), uri.Port);
        await nbd.GetStream().ReadExactlyAsync(new byte[18]);
        byte[] attach = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, 3, .. "vm1"u8];
        await nbd.GetStream().WriteAsync(attach);
        await nbd.GetStream().ReadExactlyAsync(new byte[10]);

        Assert.NotEqual(tag, await TagAsync(Volume)); // Who reads sees that somebody has come.
        using var changed = await PatchAsync("""{"limits":{"iops":500}}""", tag);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task Of_many_who_change_what_they_have_read_one_wins()
    {
        await CreateAsync();
        var tag = await TagAsync(Volume);
        var answers = await Task.WhenAll(Enumerable.Range(1, 16).Select(i => PatchAsync($$$"""{"limits":{"iops":{{{i}}}}}""", tag)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(15, answers.Count(answer => answer.StatusCode == HttpStatusCode.PreconditionFailed));
    }

    async Task CreateAsync()
    {
        using var content = Json("""{"name":"vm1","sizeBytes":512}""");
        using var response = await Http.PostAsync(Volumes, content);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.NotNull(response.Headers.ETag);
    }

    async Task<string> TagAsync(string url)
    {
        using var response = await SendAsync(HttpMethod.Get, url);
        return response.Headers.ETag!.ToString();
    }

    Task<HttpResponseMessage> PatchAsync(string body, string? ifMatch = null) => SendAsync(HttpMethod.Patch, Volume, body, ifMatch);

    async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string url, string? body = null, string? ifMatch = null, string? ifNoneMatch = null)
    {
        using var request = new HttpRequestMessage(method, url) { Content = body is null ? null : Json(body) };
        if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        if (ifNoneMatch is not null) request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        return await Http.SendAsync(request);
    }

    static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
}
