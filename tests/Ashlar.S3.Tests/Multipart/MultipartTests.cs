using System.Globalization;
using Ashlar.Simulation;

namespace Ashlar.S3.Tests.Multipart;

public sealed class MultipartTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task Parts_in_any_order_make_the_object_and_its_tag()
    {
        var parts = Enumerable.Range(1, 4).Select(i => new SeededRandom((ulong)i).Bytes(i == 4 ? 10 : 20_000 * i)).ToArray();
        var id = await BeginAsync(rig.Call("POST", "/bucket/a/key").With("content-type", "text/x").With("x-amz-meta-m", "1"));
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
        var tags = new string[5];
        foreach (var number in (int[])[3, 1, 4, 2]) tags[number] = await PutAsync(id, number, parts[number - 1]);
        var listed = await rig.RunAsync(rig.Call("GET", "/bucket/a/key").Ask("uploadId", id).Ask("max-parts", "3"));
        Assert.Equal(["1", "2", "3"], listed.All("PartNumber"));
        Assert.Equal(("true", "3"), (listed.One("IsTruncated"), listed.One("NextPartNumberMarker")));
        Assert.Equal(id, (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads"))).One("UploadId"));
        var done = (await CompleteAsync(id, [1, 2, 3, 4], tags)).Must(200);
        var md5 = TestSigner.Md5([.. parts.SelectMany(part => TestSigner.Md5(part))]);
        Assert.Equal($"\"{Convert.ToHexStringLower(md5)}-4\"", done.One("ETag"));
        var got = (await rig.RunAsync("GET", "/bucket/a/key")).Must(200);
        Assert.Equal(parts.SelectMany(part => part), got.Body);
        Assert.Equal((done.One("ETag"), "text/x", "1"), (got.Header("ETag"), got.Header("Content-Type"), got.Header("x-amz-meta-m")));
        // Its answer may have been lost.
        Assert.Equal(done.Text, (await CompleteAsync(id, [1, 2, 3, 4], tags)).Must(200).Text);
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads"))).All("UploadId"));

        var second = (await rig.RunAsync(rig.Call("GET", "/bucket/a/key").Ask("partNumber", "2"))).Must(206);
        Assert.Equal(parts[1], second.Body);
        Assert.Equal("4", second.Header("x-amz-mp-parts-count"));
        (await rig.RunAsync(rig.Call("GET", "/bucket/a/key").Ask("partNumber", "5"))).MustFail(400, "InvalidPart");
        var attributes = await rig.RunAsync(
            rig.Call("GET", "/bucket/a/key").Ask("attributes").With("x-amz-object-attributes", "ObjectParts"));
        Assert.Equal(["20000", "40000", "60000", "10"], attributes.All("Size"));
    }

    [Theory]
    [InlineData("CRC32", "COMPOSITE")]
    [InlineData("CRC32", "FULL_OBJECT")]
    [InlineData("CRC32C", "FULL_OBJECT")]
    [InlineData("CRC64NVME", "FULL_OBJECT")]
    [InlineData("SHA1", "COMPOSITE")]
    [InlineData("SHA256", "COMPOSITE")]
    public async Task Checksums_of_parts_become_that_of_the_object(string name, string type)
    {
        var algorithm = ChecksumNames.Parse(name);
        byte[][] parts = [new SeededRandom(1).Bytes(5000), new SeededRandom(2).Bytes(333)];
        var id = await BeginAsync(
            rig.Call("POST", "/bucket/a/key").With("x-amz-checksum-algorithm", name).With("x-amz-checksum-type", type));
        var sums = parts.Select(part => RunningChecksum.Of(algorithm, part)).ToArray();
        var tags = new string[3];
        for (var i = 0; i < 2; i++)
        {
            var call = Part(id, i + 1, parts[i]).With(algorithm.HeaderOf(), Convert.ToBase64String(sums[i]));
            tags[i + 1] = (await rig.RunAsync(call)).Must(200).Header("ETag")!;
        }

        (await rig.RunAsync(Part(id, 2, parts[1]).With(algorithm.HeaderOf(), Convert.ToBase64String(sums[0])))).MustFail(400, "BadDigest");
        var expected = type == "COMPOSITE"
            ? Convert.ToBase64String(RunningChecksum.Of(algorithm, [.. sums[0], .. sums[1]])) + "-2"
            : Convert.ToBase64String(RunningChecksum.Of(algorithm, [.. parts[0], .. parts[1]]));
        var named = string.Concat(Enumerable.Range(0, 2).Select(i =>
            $"<Part><ETag>{tags[i + 1]}</ETag><PartNumber>{i + 1}</PartNumber>"
                + $"<{algorithm.ElementOf()}>{Convert.ToBase64String(sums[i])}</{algorithm.ElementOf()}></Part>"));
        // Here the header is the checksum of the object, and not of the body that names its parts.
        var complete = Complete(id, named).With("x-amz-checksum-type", type);
        var wrong = Convert.ToBase64String(RunningChecksum.Of(algorithm, [])) + (type == "COMPOSITE" ? "-2" : "");
        (await rig.RunAsync(complete.With(algorithm.HeaderOf(), wrong))).MustFail(400, "BadDigest");
        var other = algorithm == ChecksumAlgorithm.Sha1 ? ChecksumAlgorithm.Sha256 : ChecksumAlgorithm.Sha1;
        (await rig.RunAsync(complete.With(other.HeaderOf(), expected))).MustFail(400, "InvalidRequest");
        if (type == "COMPOSITE") (await CompleteAsync(id, [1, 2], tags)).MustFail(400, "InvalidRequest");
        var done = (await rig.RunAsync(complete.With(algorithm.HeaderOf(), expected))).Must(200);
        Assert.Equal((expected, type), (done.One(algorithm.ElementOf()), done.One("ChecksumType")));
        var head = await rig.RunAsync(rig.Call("HEAD", "/bucket/a/key").With("x-amz-checksum-mode", "ENABLED"));
        Assert.Equal((expected, type), (head.Header(algorithm.HeaderOf()), head.Header("x-amz-checksum-type")));
    }

    [Fact]
    public async Task Completions_that_name_other_parts_are_refused_and_the_upload_goes_on()
    {
        var id = await BeginAsync(rig.Call("POST", "/bucket/a/key"));
        var tags = new[] { "", await PutAsync(id, 1, new byte[2000]), await PutAsync(id, 2, new byte[999]), await PutAsync(
            id, 3, new byte[10]), "\"x\"" };
        var stale = tags[1];
        tags[1] = await PutAsync(id, 1, new byte[3000]);
        (await CompleteAsync(id, [2, 1], tags)).MustFail(400, "InvalidPartOrder");
        (await CompleteAsync(id, [1, 1], tags)).MustFail(400, "InvalidPartOrder");
        (await CompleteAsync(id, [1, 4], tags)).MustFail(400, "InvalidPart");
        (await CompleteAsync(id, [1], ["", stale])).MustFail(400, "InvalidPart");
        (await CompleteAsync(id, [1, 2, 3], tags)).MustFail(400, "EntityTooSmall");
        (await rig.RunAsync(Complete(id, ""))).MustFail(400, "MalformedXML");
        (await rig.RunAsync(Complete(id, "<Part><PartNumber>0</PartNumber><ETag>x</ETag></Part>"))).MustFail(400, "InvalidPart");
        (await rig.RunAsync(Complete(id, "<Part><PartNumber>10001</PartNumber><ETag>x</ETag></Part>"))).MustFail(400, "InvalidPart");
        (await rig.RunAsync(Part(id, 0, []))).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(Part(id, 10_001, []))).MustFail(400, "InvalidArgument");
        (await CompleteAsync(id, [1, 3], tags)).Must(200);
        Assert.Equal(3010, (await rig.RunAsync("GET", "/bucket/a/key")).Body.Length);
    }

    [Fact]
    public async Task An_upload_is_that_of_its_key_and_customer_alone_and_gone_when_it_is_aborted()
    {
        var id = await BeginAsync(rig.Call("POST", "/bucket/a/key"));
        (await rig.SendAsync(rig.Stranger.Sign(rig.Call("PUT", "/bucket")))).Must(200);
        foreach (var call in (S3Call[])
            [
                rig.Call("GET", "/bucket/a/other").Ask("uploadId", id), rig.Call("PUT", "/bucket/other").Ask(
                    "partNumber", "1").Ask("uploadId", id),
                rig.Call("DELETE", "/bucket/a").Ask("uploadId", id), rig.Call("GET", "/bucket/a/key").Ask("uploadId", "0123456789abcdef"),
                rig.Call("GET", "/bucket/a/key").Ask("uploadId", id.ToUpperInvariant() + "0"), rig.Call(
                    "GET", "/bucket/a/key").Ask("uploadId", ""),
            ])
        {
            (await rig.RunAsync(call)).MustFail(404, "NoSuchUpload");
        }

        (await rig.SendAsync(rig.Stranger.Sign(rig.Call("GET", "/bucket/a/key").Ask("uploadId", id)))).MustFail(404, "NoSuchUpload");
        await PutAsync(id, 1, new byte[20_000]);
        (await rig.RunAsync(rig.Call("DELETE", "/bucket/a/key").Ask("uploadId", id))).Must(204);
        (await rig.RunAsync(rig.Call("DELETE", "/bucket/a/key").Ask("uploadId", id))).MustFail(404, "NoSuchUpload");
        (await rig.RunAsync(Part(id, 2, [1]))).MustFail(404, "NoSuchUpload");
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    [Fact]
    public async Task A_completion_can_depend_on_what_is_there()
    {
        (await rig.RunAsync("PUT", "/bucket/a/key", "old")).Must(200);
        var id = await BeginAsync(rig.Call("POST", "/bucket/a/key"));
        var tags = new[] { "", await PutAsync(id, 1, new byte[5]) };
        var complete = Complete(id, $"<Part><PartNumber>1</PartNumber><ETag>{tags[1]}</ETag></Part>");
        (await rig.RunAsync(complete.With("If-None-Match", "*"))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(complete.With("If-Match", "\"x\""))).MustFail(412, "PreconditionFailed");
        Assert.Equal("old", (await rig.RunAsync("GET", "/bucket/a/key")).Text);
        (await rig.RunAsync(complete.With("If-Match", "*"))).Must(200);
        Assert.Equal(5, (await rig.RunAsync("GET", "/bucket/a/key")).Body.Length);
    }

    [Fact]
    public async Task A_part_can_be_copied_from_a_range()
    {
        var content = new SeededRandom(1).Bytes(100_000);
        (await rig.RunAsync(rig.Call("PUT", "/bucket/source").Send(content))).Must(200);
        var id = await BeginAsync(rig.Call("POST", "/bucket/a/key"));
        var copy = rig.Call("PUT", "/bucket/a/key").Ask("uploadId", id).With("x-amz-copy-source", "/bucket/source");
        var first = (
            await rig.RunAsync(copy.Ask("partNumber", "1").With("x-amz-copy-source-range", "bytes=10-70009"))).Must(200).One("ETag");
        var second = (await rig.RunAsync(copy.Ask("partNumber", "2"))).Must(200).One("ETag");
        foreach (var range in (string[])["bytes=0-100000", "bytes=5-2", "bytes=0-", "0-5", "bytes=-5"])
            Assert.InRange((await rig.RunAsync(copy.Ask("partNumber", "3").With("x-amz-copy-source-range", range))).Status, 400, 416);
        (await CompleteAsync(id, [1, 2], ["", first, second])).Must(200);
        byte[] expected = [.. content[10..70_010], .. content];
        Assert.Equal(expected, (await rig.RunAsync("GET", "/bucket/a/key")).Body);
    }

    [Fact]
    public async Task Uploads_are_listed_by_their_keys_page_by_page()
    {
        var ids = new List<(string Key, string Id)>();
        foreach (var key in (string[])["b", "a/1", "a/2", "c", "b"]) ids.Add((key, await BeginAsync(rig.Call("POST", $"/bucket/{key}"))));
        var expected = ids.OrderBy(one => one.Key, StringComparer.Ordinal).ThenBy(one => one.Id, StringComparer.Ordinal).Select(
            one => $"{one.Key} {one.Id}").ToArray();
        var found = new List<string>();
        var (key1, id1) = ("", "");
        while (true)
        {
            var page = (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads").Ask("max-uploads", "2").Ask("key-marker", key1).Ask(
                "upload-id-marker", id1))).Must(200);
            found.AddRange(page.All("Key").Zip(page.All("UploadId"), (key, id) => $"{key} {id}"));
            if (page.One("IsTruncated") == "false") break;
            (key1, id1) = (page.One("NextKeyMarker"), page.One("NextUploadIdMarker"));
        }

        Assert.Equal(expected, found);
        var folded = await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads").Ask("delimiter", "/"));
        Assert.Equal(["b", "b", "c"], folded.All("Key"));
        Assert.Contains("a/", folded.All("Prefix"));

        // A page of one line each: what a prefix stands for is passed by, and does not come again.
        (key1, id1) = ("", "");
        var lines = new List<string>();
        while (true)
        {
            var page = (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads").Ask("delimiter", "/").Ask("max-uploads", "1").Ask(
                "key-marker", key1).Ask("upload-id-marker", id1))).Must(200);
            lines.AddRange(page.All("Key").Concat(page.All("Prefix").Where(prefix => prefix.Length > 0)));
            if (page.One("IsTruncated") == "false") break;
            (key1, id1) = (page.One("NextKeyMarker"), page.One("NextUploadIdMarker"));
        }

        Assert.Equal(["a/", "b", "b", "c"], lines);
        Assert.Equal(["2"], (await AskAsync("prefix", "a/2")).All("Key").Select(key => key[2..]));
        Assert.Equal(["a/1", "a/2"], (await AskAsync("prefix", "a/")).All("Key"));
        Assert.Equal(["c"], (await AskAsync("key-marker", "b")).All("Key"));
        Assert.Empty((await AskAsync("max-uploads", "0")).All("Key"));

        Task<RawResponse> AskAsync(string name, string value) =>
            rig.RunAsync(rig.Call("GET", "/bucket").Ask("uploads").Ask(name, value));
    }

    async Task<string> BeginAsync(S3Call call) => (await rig.RunAsync(call.Ask("uploads"))).Must(200).One("UploadId");

    S3Call Part(string id, int number, byte[] content) =>
        rig.Call("PUT", "/bucket/a/key").Ask("partNumber", number.ToString(CultureInfo.InvariantCulture)).Ask("uploadId", id).Send(content);

    async Task<string> PutAsync(string id, int number, byte[] content) =>
        (await rig.RunAsync(Part(id, number, content))).Must(200).Header("ETag")!;

    S3Call Complete(string id, string parts) => rig.Call("POST", "/bucket/a/key").Ask("uploadId", id)
        .Send($"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}</CompleteMultipartUpload>");

    Task<RawResponse> CompleteAsync(string id, int[] numbers, string[] tags) => rig.RunAsync(Complete(
        id, string.Concat(numbers.Select(number => $"<Part><ETag>{tags[number]}</ETag><PartNumber>{number}</PartNumber></Part>"))));
}
