using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Simulation;

namespace Ashlar.S3.Tests.Objects;

public sealed class ObjectTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(300_000)]
    public async Task An_object_comes_back_as_it_was_put(int length)
    {
        var content = new SeededRandom(1).Bytes(length);
        var put = rig.Call("PUT", "/bucket/a/b c+d%~é").With("content-type", "text/x").With("x-amz-meta-Who", "me").With(
            "cache-control", "no-store").Send(content);
        var tag = $"\"{Convert.ToHexStringLower(TestSigner.Md5(content))}\"";
        Assert.Equal(tag, (await rig.RunAsync(put)).Must(200).Header("ETag"));
        var got = (await rig.RunAsync("GET", "/bucket/a/b c+d%~é")).Must(200);
        Assert.Equal(content, got.Body);
        var head = (await rig.RunAsync("HEAD", "/bucket/a/b c+d%~é")).Must(200);
        foreach (var response in (RawResponse[])[got, head])
        {
            Assert.Equal(tag, response.Header("ETag"));
            Assert.Equal("text/x", response.Header("Content-Type"));
            Assert.Equal("me", response.Header("x-amz-meta-who"));
            Assert.Equal("no-store", response.Header("Cache-Control"));
            Assert.Equal(length.ToString(CultureInfo.InvariantCulture), response.Header("Content-Length"));
            Assert.Equal("Thu, 01 Jan 2026 00:00:00 GMT", response.Header("Last-Modified"));
        }
    }

    [Fact]
    public async Task Bodies_in_chunks_of_all_forms_are_stored_without_them()
    {
        var content = new SeededRandom(2).Bytes(50_000);
        (string, string) checksum = ("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData(content)));
        var call = rig.Call("PUT", "/bucket/key").Send(content);
        foreach (var signed in (S3Call[])[rig.Owner.SignChunks(call), rig.Owner.SignChunks(call, 8192, checksum),
            rig.Owner.SignUnsignedChunks(call, 8192, checksum)])
        {
            (await rig.SendAsync(signed)).Must(200);
            var got = (await rig.RunAsync("GET", "/bucket/key")).Must(200);
            Assert.Equal(content, got.Body);
            Assert.Null(got.Header("Content-Encoding"));
        }
    }

    [Theory]
    [InlineData("Crc32")]
    [InlineData("Crc32C")]
    [InlineData("Crc64Nvme")]
    [InlineData("Sha1")]
    [InlineData("Sha256")]
    public async Task A_checksum_is_verified_kept_and_shown_when_it_is_asked_for(string name)
    {
        var algorithm = Enum.Parse<ChecksumAlgorithm>(name);
        var content = new SeededRandom(3).Bytes(20_000);
        var value = Convert.ToBase64String(RunningChecksum.Of(algorithm, content));
        var put = rig.Call("PUT", "/bucket/key").Send(content);
        Assert.Equal(value, (await rig.RunAsync(put.With(algorithm.HeaderOf(), value))).Must(200).Header(algorithm.HeaderOf()));
        var head = rig.Call("HEAD", "/bucket/key");
        Assert.Null((await rig.RunAsync(head)).Header(algorithm.HeaderOf()));
        Assert.Equal(value, (await rig.RunAsync(head.With("x-amz-checksum-mode", "ENABLED"))).Header(algorithm.HeaderOf()));
        var attributes = await rig.RunAsync(
            rig.Call("GET", "/bucket/key").Ask("attributes").With("x-amz-object-attributes", "Checksum,ObjectSize"));
        Assert.Equal((value, "20000"), (attributes.One(algorithm.ElementOf()), attributes.One("ObjectSize")));
        var wrong = Convert.ToBase64String(RunningChecksum.Of(algorithm, "other"u8));
        (await rig.RunAsync(rig.Call("PUT", "/bucket/new").Send(content).With(algorithm.HeaderOf(), wrong))).MustFail(400, "BadDigest");
        (await rig.RunAsync("GET", "/bucket/new")).MustFail(404, "NoSuchKey");
    }

    [Theory]
    [InlineData("bytes=0-0", 206, "bytes 0-0/100", 1)]
    [InlineData("bytes=10-19", 206, "bytes 10-19/100", 10)]
    [InlineData("bytes=90-", 206, "bytes 90-99/100", 10)]
    [InlineData("bytes=90-1000", 206, "bytes 90-99/100", 10)]
    [InlineData("bytes=-7", 206, "bytes 93-99/100", 7)]
    [InlineData("bytes=-700", 206, "bytes 0-99/100", 100)]
    [InlineData("bytes=0-99999999999999999999999", 206, "bytes 0-99/100", 100)]
    [InlineData("bytes=5-2", 200, null, 100)]
    [InlineData("bytes=a-b", 200, null, 100)]
    [InlineData("bytes=0-1,5-6", 200, null, 100)]
    [InlineData("lines=0-1", 200, null, 100)]
    [InlineData("bytes=100-", 416, null, 0)]
    [InlineData("bytes=-0", 416, null, 0)]
    [InlineData("bytes=9223372036854775808-", 416, null, 0)]
    public async Task Ranges_are_what_they_say(string range, int status, string? sent, int length)
    {
        var content = new SeededRandom(4).Bytes(100);
        (await rig.RunAsync(rig.Call("PUT", "/bucket/key").Send(content))).Must(200);
        var response = (await rig.RunAsync(rig.Call("GET", "/bucket/key").With("Range", range))).Must(status);
        Assert.Equal(sent, response.Header("Content-Range"));
        if (status < 400) Assert.Equal(length, response.Body.Length);
        if (status == 206) Assert.Equal(
            content.Skip(int.Parse(sent!.Split(' ', '-')[1], CultureInfo.InvariantCulture)).Take(length), response.Body);
    }

    [Fact]
    public async Task Conditions_of_reads_hold()
    {
        var tag = (await rig.RunAsync("PUT", "/bucket/key", "one")).Must(200).Header("ETag")!;
        const string earlier = "Wed, 31 Dec 2025 23:59:59 GMT", at = "Thu, 01 Jan 2026 00:00:00 GMT";
        foreach (var (header, value, status) in ((string, string, int)[])
            [
                ("If-Match", tag, 200), ("If-Match", "\"x\"", 412), ("If-Match", $"\"x\", {tag}", 200), ("If-Match", "*", 200),
                ("If-None-Match", tag, 304), ("If-None-Match", "\"x\"", 200), ("If-None-Match", "*", 304),
                ("If-Modified-Since", earlier, 200), ("If-Modified-Since", at, 304), ("If-Modified-Since", "nonsense", 200),
                ("If-Unmodified-Since", earlier, 412), ("If-Unmodified-Since", at, 200),
            ])
        {
            (await rig.RunAsync(rig.Call("GET", "/bucket/key").With(header, value))).Must(status);
            (await rig.RunAsync(rig.Call("HEAD", "/bucket/key").With(header, value))).Must(status);
        }

        (await rig.RunAsync(rig.Call("GET", "/bucket/key").With("If-Match", tag).With("If-Unmodified-Since", earlier))).Must(200);
    }

    [Fact]
    public async Task Conditions_of_writes_hold_and_nothing_is_written_where_they_do_not()
    {
        var put = rig.Call("PUT", "/bucket/key");
        (await rig.RunAsync(put.Send("x").With("If-Match", "*"))).MustFail(404, "NoSuchKey");
        var first = (await rig.RunAsync(put.Send("one").With("If-None-Match", "*"))).Must(200).Header("ETag")!;
        (await rig.RunAsync(put.Send("two").With("If-None-Match", "*"))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(put.Send("two").With("If-Match", "\"x\""))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(put.Send("two").With("If-None-Match", first))).MustFail(501, "NotImplemented");
        Assert.Equal("one", (await rig.RunAsync("GET", "/bucket/key")).Text);
        var second = (await rig.RunAsync(put.Send("two").With("If-Match", first))).Must(200).Header("ETag")!;
        (await rig.RunAsync(put.Send("three").With("If-Match", "*"))).Must(200);
        var delete = rig.Call("DELETE", "/bucket/key");
        (await rig.RunAsync(delete.With("If-Match", second))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(delete.With("x-amz-if-match-size", "4"))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(delete.With("x-amz-if-match-size", "5"))).Must(204);
        (await rig.RunAsync(delete)).Must(204);
        (await rig.RunAsync(delete.With("If-Match", "*"))).MustFail(404, "NoSuchKey");
    }

    [Fact]
    public async Task A_copy_has_the_content_and_what_it_is_told_to_have()
    {
        var put = rig.Call("PUT", "/bucket/a").With("content-type", "text/a").With("x-amz-meta-m", "a").With(
            "x-amz-tagging", "k=v").Send("content");
        var tag = (await rig.RunAsync(put)).Must(200).Header("ETag")!;
        (await rig.RunAsync(rig.Call("PUT", "/bucket/dir/b").With("x-amz-copy-source", "bucket/a"))).Must(200);
        var copy = (await rig.RunAsync("GET", "/bucket/dir/b")).Must(200);
        Assert.Equal(("content", tag, "text/a", "a", "1"),
        (copy.Text, copy.Header("ETag"), copy.Header("Content-Type"), copy.Header("x-amz-meta-m"), copy.Header("x-amz-tagging-count")));
        var replace = rig.Call("PUT", "/bucket/c").With("x-amz-copy-source", "/bucket/a").With(
            "x-amz-metadata-directive", "REPLACE").With("x-amz-meta-n", "b")
            .With("x-amz-tagging-directive", "REPLACE").With("x-amz-tagging", "x=1&y=2");
        (await rig.RunAsync(replace)).Must(200);
        copy = (await rig.RunAsync("HEAD", "/bucket/c")).Must(200);
        Assert.Equal((null, "b", "2", "binary/octet-stream"),
        (copy.Header("x-amz-meta-m"), copy.Header("x-amz-meta-n"), copy.Header("x-amz-tagging-count"), copy.Header("Content-Type")));

        (await rig.RunAsync(rig.Call("PUT", "/bucket/a").With("x-amz-copy-source", "/bucket/a"))).MustFail(400, "InvalidRequest");
        (await rig.RunAsync(rig.Call("PUT", "/bucket/a").With("x-amz-copy-source", "/bucket/a").With(
            "x-amz-metadata-directive", "REPLACE").With("x-amz-meta-z", "z"))).Must(200);
        Assert.Equal("z", (await rig.RunAsync("HEAD", "/bucket/a")).Header("x-amz-meta-z"));

        (await rig.RunAsync(rig.Call("PUT", "/bucket/d").With("x-amz-copy-source", "/bucket/none"))).MustFail(404, "NoSuchKey");
        (await rig.RunAsync(rig.Call("PUT", "/bucket/d").With("x-amz-copy-source", "/none/a"))).MustFail(404, "NoSuchBucket");
        (await rig.RunAsync(rig.Call("PUT", "/bucket/d").With("x-amz-copy-source", "/bucket/c").With(
            "x-amz-copy-source-if-match", "\"x\""))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(rig.Call("PUT", "/bucket/c").With("x-amz-copy-source", "/bucket/a").With(
            "If-None-Match", "*"))).MustFail(412, "PreconditionFailed");
    }

    [Fact]
    public async Task Tags_are_set_shown_and_taken_away_and_leave_the_object_as_it_is()
    {
        (await rig.RunAsync("PUT", "/bucket/key", "one")).Must(200);
        rig.Clock.Advance(TimeSpan.FromMinutes(1));
        var tagging = rig.Call("PUT", "/bucket/key").Ask("tagging");
        (await rig.RunAsync(tagging.Send("<Tagging><TagSet><Tag><Key>a b</Key><Value>&amp;=é</Value></Tag></TagSet></Tagging>"))).Must(200);
        var got = await rig.RunAsync(rig.Call("GET", "/bucket/key").Ask("tagging"));
        Assert.Equal(("a b", "&=é"), (got.One("Key"), got.One("Value")));
        var head = await rig.RunAsync("HEAD", "/bucket/key");
        Assert.Equal(("1", "Thu, 01 Jan 2026 00:00:00 GMT"), (head.Header("x-amz-tagging-count"), head.Header("Last-Modified")));
        var many = string.Concat(Enumerable.Range(0, 11).Select(i => $"<Tag><Key>{i}</Key><Value/></Tag>"));
        (await rig.RunAsync(tagging.Send($"<Tagging><TagSet>{many}</TagSet></Tagging>"))).MustFail(400, "BadRequest");
        const string twice = "<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>";
        (await rig.RunAsync(tagging.Send(twice))).MustFail(400, "InvalidTag");
        (await rig.RunAsync(rig.Call("DELETE", "/bucket/key").Ask("tagging"))).Must(204);
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket/key").Ask("tagging"))).All("Tag"));
    }

    [Fact]
    public async Task A_key_that_ends_in_a_slash_is_a_directory_that_stays_until_it_is_deleted()
    {
        (await rig.RunAsync(rig.Call("PUT", "/bucket/a/b/").With("x-amz-meta-m", "1"))).Must(200);
        var head = (await rig.RunAsync("HEAD", "/bucket/a/b/")).Must(200);
        Assert.Equal(("0", "1", "\"d41d8cd98f00b204e9800998ecf8427e\""),
        (head.Header("Content-Length"), head.Header("x-amz-meta-m"), head.Header("ETag")));
        (await rig.RunAsync("GET", "/bucket/a/b")).MustFail(404, "NoSuchKey");
        (await rig.RunAsync("GET", "/bucket/a/")).MustFail(404, "NoSuchKey"); // It came with what is in it.
        (await rig.RunAsync("PUT", "/bucket/a/b/", "content")).MustFail(400, "InvalidArgument");
        (await rig.RunAsync("PUT", "/bucket/a/b/c", "content")).Must(200);
        (await rig.RunAsync("DELETE", "/bucket/a/b/")).Must(204);
        (await rig.RunAsync("GET", "/bucket/a/b/")).MustFail(404, "NoSuchKey");
        Assert.Equal("content", (await rig.RunAsync("GET", "/bucket/a/b/c")).Text);
        (await rig.RunAsync("DELETE", "/bucket/a/b/c")).Must(204);
        (await rig.RunAsync("DELETE", "/bucket")).Must(204);
    }

    [Fact]
    public async Task An_object_and_objects_behind_its_name_and_a_slash_exclude_each_other()
    {
        (await rig.RunAsync("PUT", "/bucket/a", "file")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/a/b", "file")).MustFail(400, "InvalidRequest");
        (await rig.RunAsync("PUT", "/bucket/a/")).MustFail(400, "InvalidRequest");
        (await rig.RunAsync("PUT", "/bucket/c/d", "file")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/c", "file")).MustFail(400, "InvalidRequest");
        (await rig.RunAsync("DELETE", "/bucket/c")).Must(204);
        Assert.Equal("file", (await rig.RunAsync("GET", "/bucket/c/d")).Text);
    }

    [Fact]
    public async Task Many_are_deleted_at_once_and_each_has_its_own_answer()
    {
        foreach (var key in (string[])["a", "b", "c/d"]) (await rig.RunAsync("PUT", $"/bucket/{key}", "x")).Must(200);
        const string body =
            "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key>b</Key><ETag>x</ETag></Object>"
            + "<Object><Key>c/d</Key><VersionId>null</VersionId></Object><Object><Key>../e</Key></Object></Delete>";
        var response = (await rig.RunAsync(rig.Call("POST", "/bucket").Ask("delete").Send(body))).Must(200);
        Assert.Equal(["a", "none", "b", "c/d", "../e"], response.All("Key"));
        Assert.Equal("PreconditionFailed", response.One("Code"));
        Assert.Equal("b", (await rig.RunAsync("GET", "/bucket")).One("Key"));
        var quiet = await rig.RunAsync(
            rig.Call("POST", "/bucket").Ask("delete").Send("<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"));
        Assert.Empty(quiet.Must(200).All("Key"));
    }

    [Fact]
    public async Task Answers_can_be_overridden_by_who_signs()
    {
        (await rig.RunAsync("PUT", "/bucket/key", "x")).Must(200);
        var call = rig.Call("GET", "/bucket/key").Ask("response-content-type", "a/b").Ask(
            "response-content-disposition", "attachment; filename=\"x\"");
        var response = (await rig.SendAsync(rig.Owner.Presign(call))).Must(200);
        Assert.Equal(("a/b", "attachment; filename=\"x\""), (response.Header("Content-Type"), response.Header("Content-Disposition")));
        (await rig.RunAsync(rig.Call("GET", "/bucket/key").Ask("response-content-type", "a\r\nb: c"))).MustFail(400, "InvalidArgument");
    }

    [Fact]
    public async Task What_is_not_supported_is_refused_and_not_ignored()
    {
        foreach (var (header, value, code) in ((string, string, string)[])
            [
                ("x-amz-server-side-encryption", "AES256", "NotImplemented"), ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
                ("x-amz-grant-read", "id=x", "AccessControlListNotSupported"), ("x-amz-storage-class", "GLACIER", "InvalidStorageClass"),
                ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"), ("x-amz-website-redirect-location", "/x", "NotImplemented"),
                ("x-amz-checksum-xxhash64", "AAAA", "InvalidRequest"), ("x-amz-meta-long", new string('x', 2049), "MetadataTooLarge"),
            ])
        {
            Assert.Equal(code, (await rig.RunAsync(rig.Call("PUT", "/bucket/key").With(header, value).Send("x"))).Code);
        }

        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    [Fact]
    public async Task Metadata_may_have_other_characters_than_ASCII()
    {
        (await rig.RunAsync(rig.Call("PUT", "/bucket/key").With("x-amz-meta-name", "Grüße 漢字").Send("x"))).Must(200);
        Assert.Equal("Grüße 漢字", (await rig.RunAsync("HEAD", "/bucket/key")).Header("x-amz-meta-name"));
    }

    [Fact]
    public async Task A_file_of_another_door_is_an_object_here()
    {
        await rig.Files.CreateFileAsync(
            rig.Customer, Files.FilePath.Parse("/bucket/file"), new MemoryStream(Encoding.UTF8.GetBytes("text")));
        var response = (await rig.RunAsync("GET", "/bucket/file")).Must(200);
        Assert.Equal(("text", "binary/octet-stream"), (response.Text, response.Header("Content-Type")));
        Assert.Equal(response.Header("ETag"), (await rig.RunAsync("GET", "/bucket")).One("ETag"));
    }
}
