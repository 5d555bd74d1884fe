using System.Net;
using System.Security.Cryptography;

using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Files;

/// <summary>Files over HTTP.</summary>
public sealed class FileRouteTests : ServedFiles
{
    static readonly byte[] Content = new SeededRandom(3).Bytes(300_000);

    [Fact]
    public async Task A_file_is_created_read_listed_and_deleted()
    {
        Assert.Equal(HttpStatusCode.Created, (await MakeAsync("/photos")).Status);
        var put = await PutAsync("/photos/cat", Content, ("Content-Type", "image/jpeg"));
        Assert.Equal((HttpStatusCode.Created, $"{Files}/photos/cat"), (put.Status, put.Headers["Location"]));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Content));
        Assert.Equal((hash, hash), (put.Body.GetProperty("tag").GetString(), put.Body.GetProperty("sha256").GetString()));

        var got = await SendAsync(HttpMethod.Get, $"{Files}/photos/cat");
        Assert.Equal(Content, got.Content);
        Assert.Equal(("image/jpeg", "bytes"), (got.Headers["Content-Type"], got.Headers["Accept-Ranges"]));
        Assert.Equal($"\"{hash}\"", got.Headers["ETag"]);
        var head = await SendAsync(HttpMethod.Head, $"{Files}/photos/cat");
        Assert.Equal(($"{Content.Length}", 0), (head.Headers["Content-Length"], head.Content.Length));

        Assert.Equal(["/photos", "/photos/cat"], await TreeAsync());
        Assert.Equal("not-empty", (await SendAsync(HttpMethod.Delete, $"{Files}/photos")).Problem);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"{Files}/photos/cat")).Status);
        Assert.Equal("file-not-found", (await SendAsync(HttpMethod.Get, $"{Files}/photos/cat")).Problem);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, $"{Files}/photos")).Status);
        Assert.Empty(await TreeAsync());
    }

    [Theory]
    [InlineData("bytes=0-0", HttpStatusCode.PartialContent, 0, 1)]
    [InlineData("bytes=65535-65537", HttpStatusCode.PartialContent, 65535, 3)]
    [InlineData("bytes=299999-", HttpStatusCode.PartialContent, 299_999, 1)]
    [InlineData("bytes=-5", HttpStatusCode.PartialContent, 299_995, 5)]
    [InlineData("bytes=-999999999", HttpStatusCode.PartialContent, 0, 300_000)]
    [InlineData("bytes=299998-999999999999999999", HttpStatusCode.PartialContent, 299_998, 2)]
    [InlineData("bytes=300000-", HttpStatusCode.RequestedRangeNotSatisfiable, 0, 0)]
    [InlineData("bytes=0-1,5-6", HttpStatusCode.OK, 0, 300_000)]
    [InlineData("bytes=5-1", HttpStatusCode.OK, 0, 300_000)]
    [InlineData("lines=1-2", HttpStatusCode.OK, 0, 300_000)]
    public async Task A_range_is_what_was_asked_for(string range, HttpStatusCode status, int offset, int length)
    {
        await PutAsync("/a", Content);
        var got = await SendAsync(HttpMethod.Get, $"{Files}/a", null, ("Range", range));
        Assert.Equal(status, got.Status);
        if (status == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Assert.Equal("bytes */300000", got.Headers["Content-Range"]);
            return;
        }

        Assert.Equal(Content.AsSpan(offset, length).ToArray(), got.Content);
        if (status == HttpStatusCode.PartialContent)
            Assert.Equal($"bytes {offset}-{offset + length - 1}/300000", got.Headers["Content-Range"]);
    }

    [Fact]
    public async Task Conditions_hold_for_reads_and_for_writes()
    {
        var tag = (await PutAsync("/a", "one"u8.ToArray())).Headers["ETag"];
        Assert.Equal(HttpStatusCode.NotModified, (await SendAsync(HttpMethod.Get, $"{Files}/a", null, ("If-None-Match", tag))).Status);
        Assert.Equal("changed", (await SendAsync(HttpMethod.Get, $"{Files}/a", null, ("If-Match", "\"other\""))).Problem);
        var later = DateTimeOffset.UtcNow.AddDays(1).ToString("R");
        var unmodified = await SendAsync(HttpMethod.Get, $"{Files}/a", null, ("If-Modified-Since", later));
        Assert.Equal(HttpStatusCode.NotModified, unmodified.Status);
        Assert.Equal("one", (await SendAsync(HttpMethod.Get, $"{Files}/a", null, ("Range", "bytes=0-0"), ("If-Range", "\"other\""))).Text);

        Assert.Equal("exists", (await PutAsync("/a", "two"u8.ToArray())).Problem);
        Assert.Equal("exists", (await PutAsync("/a", "two"u8.ToArray(), ("If-None-Match", "*"))).Problem);
        Assert.Equal("changed", (await PutAsync("/a", "two"u8.ToArray(), ("If-Match", "\"other\""))).Problem);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync("/a", "two"u8.ToArray(), ("If-Match", tag))).Status);
        Assert.Equal(HttpStatusCode.Created, (await PutAsync("/a?replace=true", "three"u8.ToArray())).Status);
        Assert.Equal("changed", (await SendAsync(HttpMethod.Delete, $"{Files}/a", null, ("If-Match", tag))).Problem);
        Assert.Equal("three", (await SendAsync(HttpMethod.Get, $"{Files}/a")).Text);
    }

    [Fact]
    public async Task What_is_not_what_was_announced_is_not_there()
    {
        var digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(Content))}:";
        Assert.Equal("content-differs", (await PutAsync("/a", "other"u8.ToArray(), ("Content-Digest", digest))).Problem);
        Assert.Equal("invalid-request", (await PutAsync("/a", Content, ("Content-Digest", "md5=:AA==:"))).Problem);
        Assert.Empty(await TreeAsync());
        Assert.Equal(HttpStatusCode.Created, (await PutAsync("/a", Content, ("Content-Digest", digest))).Status);
    }

    [Fact]
    public async Task An_upload_that_is_asked_for_again_is_done_once()
    {
        var first = await PutAsync("/a?upload=00000000000000ff", Content);
        var again = await PutAsync("/a?upload=00000000000000ff", Content);
        Assert.Equal((HttpStatusCode.Created, first.Text), (again.Status, again.Text));
        Assert.Equal("invalid-request", (await PutAsync("/b?upload=7", Content)).Problem);
    }

    [Fact]
    public async Task A_file_is_renamed_and_copied_at_once()
    {
        await PutAsync("/a", Content);
        Assert.Equal("/b", (await ActAsync("/a", """{"action":"rename","to":"/b"}""")).Body.GetProperty("path").GetString());
        Assert.Equal(HttpStatusCode.Created, (await ActAsync("/b", """{"action":"copy","to":"/c"}""")).Status);
        Assert.Equal("exists", (await ActAsync("/b", """{"action":"copy","to":"/c"}""")).Problem);
        Assert.Equal(HttpStatusCode.OK, (await ActAsync("/b", """{"action":"rename","to":"/c","replace":true}""")).Status);
        Assert.Equal(["/c"], await TreeAsync());
        Assert.Equal(Content, (await SendAsync(HttpMethod.Get, $"{Files}/c")).Content);
        foreach (var wrong in (string[])["""{"action":"copy"}""", """{"action":"explode"}""", """{"action":"createDirectory","to":"/x"}"""])
            Assert.Equal("invalid-request", (await ActAsync("/c", wrong)).Problem);
    }

    [Fact]
    public async Task A_directory_is_listed_page_by_page_whatever_its_names_are()
    {
        string[] names = ["a%41", "b c", "d+e", "\u00e9\u0301", "f?g", "h#i"];
        await MakeAsync("/d%25");
        foreach (var name in names)
            Assert.Equal(HttpStatusCode.Created, (await PutAsync($"/d%25/{Uri.EscapeDataString(name)}", [1])).Status);
        var found = new List<string>();
        for (var url = $"{Files}/d%25?limit=2"; url is not null;)
        {
            var page = (await SendAsync(HttpMethod.Get, url)).Body;
            found.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("path").GetString()!));
            url = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        Assert.Equal(names.Select(name => $"/d%/{name}").Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        foreach (var name in names)
            Assert.Equal([1], (await SendAsync(HttpMethod.Get, $"{Files}/d%25/{Uri.EscapeDataString(name)}")).Content);
    }

    [Theory]
    [InlineData("/a/../b")]
    [InlineData("/..")]
    [InlineData("/a/%2e%2e/b")]
    [InlineData("/a/%2E./b")]
    [InlineData("/./a")]
    [InlineData("/../../../../pools/main")]
    [InlineData("//a")]
    [InlineData("/a//b")]
    [InlineData("/a/")]
    [InlineData("/a%2Fb")]
    [InlineData("/a%00b")]
    [InlineData("/a%FFb")]
    [InlineData("/a%C0%AFb")]
    [InlineData("/a%zzb")]
    [InlineData("/a%4")]
    [InlineData("/\u00e9")]
    [InlineData("/e%CC%81")]
    [InlineData("/a/%E2%84%AB/b")]
    [InlineData("LONG")]
    [InlineData("LONGER")]
    public async Task A_path_that_no_file_can_have_is_refused_and_leaves_no_trace(string path)
    {
        if (path == "LONG") path = $"/{new string('x', 256)}";
        if (path == "LONGER") path = string.Concat(Enumerable.Repeat("/0123456789", 1000));
        foreach (var method in (string[])["PUT", "GET", "DELETE", "POST"])
        {
            var answer = await SendRawAsync(method, $"{Files}{path}", method is "PUT" or "POST" ? "{}" : "");
            Assert.Matches("^HTTP/1.1 4", answer);
        }

        Assert.Empty(await TreeAsync());
        Assert.Equal(HttpStatusCode.OK, (await Http.GetAsync("/v1/pools/main")).StatusCode);
    }

    [Fact]
    public async Task An_upload_in_parts_becomes_a_file_and_is_given_up_without_a_trace()
    {
        var begun = await SendAsync(HttpMethod.Post, "/v1/customers/main/uploads", Json("""{"path":"/big"}"""));
        Assert.Equal(HttpStatusCode.Created, begun.Status);
        var place = begun.Headers["Location"];
        var two = new ByteArrayContent("two"u8.ToArray());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, $"{place}/parts/2", two)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Put, $"{place}/parts/1", new ByteArrayContent(Content))).Status);
        var parts = await SendAsync(HttpMethod.Get, $"{place}/parts");
        Assert.Equal([1, 2], parts.Body.GetProperty("items").EnumerateArray().Select(part => part.GetProperty("number").GetInt32()));
        var uploads = await SendAsync(HttpMethod.Get, "/v1/customers/main/uploads");
        Assert.Equal(begun.Body.GetProperty("id").GetString(), uploads.Body.GetProperty("items")[0].GetProperty("id").GetString());
        Assert.Empty(await TreeAsync());
        var made = await SendAsync(HttpMethod.Post, place, Json("{}"));
        Assert.True(made.Status == HttpStatusCode.Created, made.Text);
        Assert.Equal(Content.Concat("two"u8.ToArray()), (await SendAsync(HttpMethod.Get, $"{Files}/big")).Content);

        var other = (await SendAsync(HttpMethod.Post, "/v1/customers/main/uploads", Json("""{"path":"/none"}"""))).Headers["Location"];
        await SendAsync(HttpMethod.Put, $"{other}/parts/1", new ByteArrayContent(Content));
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, other)).Status);
        Assert.Equal("upload-not-found", (await SendAsync(HttpMethod.Get, other)).Problem);
        Assert.Equal(["/big"], await TreeAsync());
    }

    [Fact]
    public async Task A_quota_is_exact_and_usage_is_told_by_directory()
    {
        await SendAsync(HttpMethod.Patch, "/v1/customers/main", Json("""{"quotaBytes":1000,"quotaFiles":2}"""));
        await MakeAsync("/a");
        Assert.Equal(HttpStatusCode.Created, (await PutAsync("/a/1", new byte[600])).Status);
        Assert.Equal("quota-exceeded", (await PutAsync("/a/2", new byte[401])).Problem);
        Assert.Equal(HttpStatusCode.Created, (await PutAsync("/2", new byte[400])).Status);
        Assert.Equal("quota-exceeded", (await PutAsync("/3", [])).Problem);
        var customer = (await SendAsync(HttpMethod.Get, "/v1/customers/main")).Body;
        Assert.Equal((1000, 2), (customer.GetProperty("usedBytes").GetInt64(), customer.GetProperty("fileCount").GetInt64()));
        var bucket = (await SendAsync(HttpMethod.Get, "/v1/customers/main/buckets")).Body.GetProperty("items")[0];
        Assert.Equal(("a", 600), (bucket.GetProperty("name").GetString(), bucket.GetProperty("usedBytes").GetInt64()));
        Assert.Equal("not-empty", (await SendAsync(HttpMethod.Delete, "/v1/customers/main")).Problem);
    }

    [Fact]
    public async Task A_client_that_vanishes_leaves_nothing()
    {
        using (var request = new HttpRequestMessage(HttpMethod.Put, $"{Files}/a") { Content = new StreamContent(new BreakingStream()) })
        {
            request.Headers.Authorization = new("Bearer", Key);
            await Assert.ThrowsAnyAsync<Exception>(() => Http.SendAsync(request));
        }

        Assert.Empty(await TreeAsync());
        Assert.Equal(HttpStatusCode.Created, (await PutAsync("/a", Content)).Status);
    }

    [Fact]
    public async Task Verification_says_what_it_has_proved()
    {
        await PutAsync("/a", Content);
        var begun = await SendAsync(HttpMethod.Post, "/v1/customers/main/verify", Json("{}"));
        Assert.Equal(HttpStatusCode.Accepted, begun.Status);
        var task = begun.Body;
        while (task.GetProperty("state").GetString() == "running")
        {
            await Task.Delay(20);
            task = (await SendAsync(HttpMethod.Get, begun.Headers["Location"])).Body;
        }

        Assert.Equal("1 file, 1 block, 1 copy read and verified", task.GetProperty("report").GetString());
        Assert.Equal(0, task.GetProperty("findings").GetArrayLength());
    }

    sealed class BreakingStream : MemoryStream
    {
        int reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (reads++ > 20) throw new IOException("the cat is on the keyboard");
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
