using System.Text;
using Ashlar.Files;
using Ashlar.Simulation;

namespace Ashlar.S3.Tests.Hostile;

/// <summary>
/// Thirty kinds of bad input: each has a clear error, leaks nothing, leaves nothing behind, and the server goes on serving others.
/// </summary>
public sealed class ThirtyCasesTests : IAsyncLifetime
{
    S3Rig rig = null!;
    string before = "";

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync(options => options with { MinBytesPerSecond = 1000, RateGrace = TimeSpan.FromSeconds(1.5) });
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/key", "content")).Must(200);
        before = await rig.DescribeAsync();
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(before, await rig.DescribeAsync());
        Assert.Equal("content", (await rig.RunAsync("GET", "/bucket/key")).Text);
        Assert.DoesNotContain(rig.Events, happened => happened.Kind == S3EventKind.Failed);
        await rig.DisposeAsync();
    }

    S3Call Put => rig.Call("PUT", "/bucket/new");

    async Task<RawResponse?> RawAsync(string text)
    {
        using var connection = new RawConnection(rig.EndPoint);
        await connection.SendAsync(text);
        return await connection.ReceiveAsync();
    }

    string Raw(S3Call call) => Encoding.UTF8.GetString(rig.Owner.Sign(call).ToBytes());

    [Fact]
    public async Task Case_01_no_Host_or_two()
    {
        Assert.Equal(400, (await RawAsync("GET / HTTP/1.1\r\n\r\n"))!.Status);
        Assert.Equal(400, (await RawAsync("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"))!.Status);
    }

    [Fact]
    public async Task Case_02_other_versions_of_HTTP()
    {
        Assert.Equal(403, (await RawAsync("GET / HTTP/1.0\r\nHost: a\r\n\r\n"))!.Status);
        Assert.InRange((await RawAsync("GET /\r\n\r\n"))!.Status, 400, 505);
        Assert.InRange((await RawAsync("GET / HTTP/3.7\r\nHost: a\r\n\r\n"))!.Status, 400, 505);
    }

    [Fact]
    public async Task Case_03_two_lengths_or_a_length_and_chunks()
    {
        Assert.Equal(400, (await RawAsync(
            Raw(Put.Send("x")).Replace("Content-Length: 1", "Content-Length: 1\r\nContent-Length: 2", StringComparison.Ordinal)))!.Status);
        var both = await RawAsync(
            Raw(Put.Send("x")).Replace("Content-Length: 1", "Content-Length: 1\r\nTransfer-Encoding: chunked", StringComparison.Ordinal));
        Assert.InRange(both?.Status ?? 400, 400, 499);
        var loneLineEnd = Raw(Put with { HasLength = false }).Replace(
            "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n1;x\nx\r\n0\r\n\r\n", StringComparison.Ordinal);
        Assert.InRange((await RawAsync(loneLineEnd))?.Status ?? 400, 400, 499);
    }

    [Fact]
    public async Task Case_04_a_head_that_is_too_long()
    {
        Assert.Equal(431, (await RawAsync($"GET / HTTP/1.1\r\nHost: a\r\nX: {new string('x', 33 << 10)}\r\n\r\n"))!.Status);
        Assert.Equal(431, (await RawAsync(
            "GET / HTTP/1.1\r\nHost: a\r\n" + string.Concat(Enumerable.Range(0, 101).Select(i => $"X{i}: x\r\n")) + "\r\n"))!.Status);
        Assert.Equal(414, (await RawAsync($"GET /{new string('x', 9 << 10)} HTTP/1.1\r\nHost: a\r\n\r\n"))!.Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("AWS AKID:signature")]
    [InlineData("Bearer x")]
    [InlineData("AWS4-HMAC-SHA256")]
    [InlineData("AWS4-HMAC-SHA256 ")]
    [InlineData("AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=0")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request,SignedHeaders=host")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0,Signature=0")]
    [InlineData("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0,Other=1")]
    public async Task Case_05_an_Authorization_that_is_none(string value) =>
        Assert.InRange((await rig.SendAsync(
            rig.Call("GET", "/bucket/key").With("Authorization", value).With("x-amz-date", "20260101T000000Z"))).Status, 400, 403);

    [Fact]
    public async Task Case_05_an_Authorization_of_a_MiB() =>
        Assert.Equal(
            431, (await RawAsync($"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {new string('x', 1 << 20)}\r\n\r\n"))?.Status ?? 431);

    [Fact]
    public async Task Case_06_an_unknown_key_and_a_wrong_secret()
    {
        var call = rig.Call("GET", "/bucket/key");
        (await rig.SendAsync(rig.Owner.But(keyId: "nobody").Sign(call))).MustFail(403, "SignatureDoesNotMatch");
        (await rig.SendAsync(rig.Owner.But(secret: "wrong").Sign(call))).MustFail(403, "SignatureDoesNotMatch");
    }

    [Fact]
    public async Task Case_07_a_signature_in_upper_case_cut_off_or_padded()
    {
        var signed = rig.Owner.Sign(rig.Call("GET", "/bucket/key"));
        var value = signed.Header("Authorization")!;
        foreach (var changed in (string[])[value[..^64] + value[^64..].ToUpperInvariant(), value[..^1], value + "0", value + "=",
            value[..^64]])
            (await rig.SendAsync(signed.With("Authorization", changed))).MustFail(403, "SignatureDoesNotMatch");
    }

    [Fact]
    public async Task Case_08_another_time_day_region_or_service()
    {
        var call = rig.Call("GET", "/bucket/key");
        (await rig.SendAsync(rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddMinutes(16)).Sign(call))).MustFail(
            403, "RequestTimeTooSkewed");
        (await rig.SendAsync(rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddMinutes(-16)).Sign(call))).MustFail(
            403, "RequestTimeTooSkewed");
        (await rig.SendAsync(rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddMinutes(-14)).Sign(call))).Must(200);
        (await rig.SendAsync(rig.Owner.But(region1: "eu-west-1").Sign(call))).MustFail(400, "AuthorizationHeaderMalformed");
        var signed = rig.Owner.Sign(call);
        foreach (var (from, to) in ((string, string)[])[("/20260101/", "/20260102/"), ("/s3/", "/iam/"), ("aws4_request", "aws5_request")])
            (await rig.SendAsync(signed.With("Authorization", signed.Header("Authorization")!.Replace(from, to, StringComparison.Ordinal))))
                .MustFail(400, "AuthorizationHeaderMalformed");
    }

    [Theory]
    [InlineData("x-amz-content-sha256;x-amz-date", 403)]
    [InlineData("x-amz-date;x-amz-content-sha256;host", 400)]
    [InlineData("host;host;x-amz-content-sha256;x-amz-date", 400)]
    [InlineData("Host;x-amz-content-sha256;x-amz-date", 400)]
    [InlineData("host;;x-amz-content-sha256;x-amz-date", 400)]
    [InlineData("host;x-amz-date", 403)]
    [InlineData("", 400)]
    public async Task Case_09_signed_headers_that_lack_one_or_are_not_sorted(string headers, int status)
    {
        var signed = rig.Owner.Sign(rig.Call("GET", "/bucket/key"));
        var value = signed.Header("Authorization")!.Replace("host;x-amz-content-sha256;x-amz-date", headers, StringComparison.Ordinal);
        (await rig.SendAsync(signed.With("Authorization", value))).Must(status);
    }

    [Fact]
    public async Task Case_10_signatures_in_header_and_query()
    {
        var call = rig.Call("GET", "/bucket/key");
        (await rig.SendAsync(rig.Owner.Sign(rig.Owner.Presign(call)))).MustFail(400, "InvalidArgument");
        (await rig.SendAsync(rig.Owner.Presign(call).With("Authorization", "x"))).MustFail(400, "InvalidArgument");
        (await rig.SendAsync(rig.Owner.Presign(rig.Owner.Presign(call)))).MustFail(400, "AuthorizationQueryParametersError");
    }

    [Fact]
    public async Task Case_11_presigned_for_no_time_or_too_long_or_too_long_ago()
    {
        var call = rig.Call("GET", "/bucket/key");
        foreach (var seconds in (int[])[0, -1, 604_801, int.MaxValue])
            (await rig.SendAsync(rig.Owner.Presign(call, seconds))).MustFail(400, "AuthorizationQueryParametersError");
        var good = rig.Owner.Presign(call, 60);
        (await rig.SendAsync(good)).Must(200);
        (await rig.SendAsync(rig.Owner.Presign(call, 604_800))).Must(200);
        (await rig.SendAsync(
            rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddSeconds(-61)).Presign(call, 60))).MustFail(403, "AccessDenied");
    }

    [Fact]
    public async Task Case_12_a_presigned_read_that_is_used_for_something_else()
    {
        var signed = rig.Owner.Presign(rig.Call("GET", "/bucket/key"));
        (await rig.SendAsync(signed with { Method = "PUT", Body = [1] })).MustFail(403, "SignatureDoesNotMatch");
        (await rig.SendAsync(signed with { Method = "HEAD" })).Must(403);
        (await rig.SendAsync(signed with { Method = "DELETE" })).MustFail(403, "SignatureDoesNotMatch");
        (await rig.SendAsync(signed.Ask("versionId", "null"))).MustFail(403, "SignatureDoesNotMatch");
        (await rig.SendAsync(signed.With("x-amz-checksum-mode", "ENABLED"))).MustFail(403, "AccessDenied");
    }

    [Fact]
    public async Task Case_13_a_body_that_is_not_what_was_signed()
    {
        (await rig.SendAsync(rig.Owner.Sign(Put.Send("one")) with { Body = "two"u8.ToArray() })).MustFail(400, "XAmzContentSHA256Mismatch");
        (await rig.SendAsync(rig.Owner.Sign(Put.Send(new byte[50_000])) with { Body = new byte[50_001] })).MustFail(
            400, "XAmzContentSHA256Mismatch");
        (await rig.SendAsync(rig.Owner.Sign(Put.Send("one"), "UNSIGNED"))).MustFail(400, "InvalidArgument");
        (await rig.SendAsync(rig.Owner.Sign(Put.Send("one"), ""))).Must(400);
        var unsigned = rig.Owner.Sign(Put.Send("one"));
        (await rig.SendAsync(unsigned.With("x-amz-content-sha256", TestSigner.Unsigned))).MustFail(403, "SignatureDoesNotMatch");
        var xml = rig.Owner.Sign(rig.Call("POST", "/bucket").Ask("delete").Send("<Delete><Object><Key>kez</Key></Object></Delete>"));
        (await rig.SendAsync(xml with { Body = "<Delete><Object><Key>key</Key></Object></Delete>"u8.ToArray() })).MustFail(
            400, "XAmzContentSHA256Mismatch");
    }

    [Fact]
    public async Task Case_14_a_chunk_with_another_signature_or_an_absurd_length()
    {
        var signed = rig.Owner.SignChunks(Put.Send(new byte[200]), 100,
        ("x-amz-checksum-crc32", Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Crc32, new byte[200]))));
        var text = Encoding.Latin1.GetString(signed.Body);
        foreach (var at in Enumerable.Range(0, 3).Select(i => Nth(text, "chunk-signature=", i)).Append(
            text.IndexOf("trailer-signature:", StringComparison.Ordinal) + 2))
        {
            var changed = text.ToCharArray();
            changed[at + 20] = changed[at + 20] == 'a' ? 'b' : 'a';
            (await rig.SendAsync(signed with { Body = Encoding.Latin1.GetBytes(changed) })).MustFail(403, "SignatureDoesNotMatch");
        }

        (await rig.SendAsync(
            signed with { Body = Encoding.Latin1.GetBytes("FFFFFFFFFFFFFFFF" + text[2..]) })).MustFail(400, "InvalidRequest");
        (await rig.SendAsync(
            signed with { Body = Encoding.Latin1.GetBytes("7FFFFFFFFFFFFFFF" + text[2..]) })).MustFail(400, "IncompleteBody");

        static int Nth(string text, string what, int index)
        {
            var at = -1;
            for (var i = 0; i <= index; i++) at = text.IndexOf(what, at + 1, StringComparison.Ordinal);
            return at;
        }
    }

    [Fact]
    public async Task Case_15_an_unsigned_trailer_behind_a_wrong_signature_or_with_a_wrong_checksum()
    {
        (string, string) good = (
            "x-amz-checksum-crc32", Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Crc32, new byte[200])));
        (await rig.SendAsync(rig.Owner.But(secret: "x").SignUnsignedChunks(Put.Send(new byte[200]), 100, good))).MustFail(
            403, "SignatureDoesNotMatch");
        (await rig.SendAsync(
            rig.Owner.SignUnsignedChunks(Put.Send(new byte[200]), 100, (good.Item1, "AAAAAA==")))).MustFail(400, "BadDigest");
        (await rig.SendAsync(
            rig.Owner.SignUnsignedChunks(Put.Send(new byte[200]), 100, (good.Item1, "x")))).MustFail(400, "InvalidRequest");
        var without = rig.Owner.SignUnsignedChunks(Put.Send(new byte[200]), 100, good);
        (await rig.SendAsync(without with { Body = [.. without.Body[..^(good.Item1.Length + good.Item2.Length + 5)], .. "\r\n"u8] }))
            .MustFail(400, "MalformedTrailerError");
    }

    [Fact]
    public async Task Case_16_a_form_where_none_belongs()
    {
        var form = TestForm.Of(rig, rig.Owner, "new", [1]);
        (await rig.SendAsync(form with { Path = "/" })).MustFail(405, "MethodNotAllowed");
        (await rig.SendAsync(form with { Path = "/bucket/new" })).MustFail(405, "MethodNotAllowed");
    }

    [Fact]
    public async Task Case_17_a_form_beyond_its_policy()
    {
        const string conditions = """{"bucket":"bucket"},["starts-with","$key","user/"],["content-length-range",1,10]""";
        foreach (var (key, length, minutes) in ((string, int, int)[])[("user/a", 5, -1),
        ("user/a", 11, 5), ("user/a", 0, 5), ("other", 5, 5)])
            Assert.InRange((await rig.SendAsync(
                TestForm.Of(rig, rig.Owner, TestForm.Policy(rig, conditions, minutes), new byte[length], ("key", key)))).Status, 400, 403);
    }

    [Fact]
    public async Task Case_18_wrong_digests_and_two_of_them()
    {
        (await rig.RunAsync(Put.Send("x").With("Content-MD5", "x"))).MustFail(400, "InvalidDigest");
        (await rig.RunAsync(Put.Send("x").With("Content-MD5", Convert.ToBase64String(TestSigner.Md5("y"u8))))).MustFail(400, "BadDigest");
        (await rig.RunAsync(Put.Send("x").With("x-amz-checksum-crc32", "x"))).MustFail(400, "InvalidRequest");
        (await rig.RunAsync(Put.Send("x").With("x-amz-checksum-crc32", "AAAAAA=="))).MustFail(400, "BadDigest");
        (await rig.RunAsync(Put.Send("x").With("x-amz-checksum-crc32", "AAAAAA==").With(
            "x-amz-checksum-crc32c", "AAAAAA=="))).MustFail(400, "InvalidRequest");
    }

    [Fact]
    public async Task Case_19_lengths_that_are_none_missing_or_wrong()
    {
        Assert.Equal(
            400, (await RawAsync(Raw(Put.Send("x")).Replace("Content-Length: 1", "Content-Length: -1", StringComparison.Ordinal)))!.Status);
        Assert.Equal(411, (await RawAsync(Raw(Put with { HasLength = false })))!.Status);
        using var connection = new RawConnection(rig.EndPoint);
        await connection.SendAsync(
            Raw(Put.Send(new string('x', 6000))).Replace("Content-Length: 6000", "Content-Length: 7000", StringComparison.Ordinal));
        connection.EndSending();
        Assert.Equal("IncompleteBody", (await connection.ReceiveAsync())?.Code ?? "IncompleteBody");
        // What is left over is no request.
        Assert.Equal(
            400, (await RawAsync(Raw(Put.Send("xy")).Replace("Content-Length: 2", "Content-Length: 1", StringComparison.Ordinal)))!.Status);
    }

    [Theory]
    [InlineData("%00", 400)]
    [InlineData("a%00b", 400)]
    [InlineData("..", 400)]
    [InlineData("a/../b", 400)]
    [InlineData("%2e%2e/b", 400)]
    [InlineData("a/./b", 400)]
    [InlineData("a//b", 400)]
    [InlineData("/a", 400)]
    [InlineData("a%2F%2Fb", 400)]
    [InlineData("%FF%FE", 400)]
    [InlineData("%C0%AE%C0%AE/x", 400)]
    [InlineData("%ZZ", 400)]
    [InlineData("%", 400)]
    [InlineData("%F0%9F%98%80", 404)]
    [InlineData("%C3%BC", 404)]
    public async Task Case_20_keys_that_are_no_paths(string key, int status)
    {
        foreach (var method in (string[])["GET", "PUT", "POST"])
        {
            if (method != "GET" && status == 404) continue;
            var decoded = status == 404 || key.Contains('2') || !key.Contains('%') ? Uri.UnescapeDataString(key) : key;
            var call = rig.Call(method, "/bucket/" + decoded) with { Query = method == "POST" ? [("uploads", "")] : [] };
            var response = await rig.RunAsync(call with { RawTarget = $"/bucket/{key}" + (method == "POST" ? "?uploads=" : "") });
            Assert.True(response.Status == status, $"{method} {key}: {response}");
        }
    }

    [Fact]
    public async Task Case_20_keys_that_are_too_long()
    {
        (await rig.RunAsync("PUT", "/bucket/" + new string('a', 256), "x")).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(
            "PUT", "/bucket/" + string.Join('/', Enumerable.Repeat(new string('a', 204), 5)), "x")).MustFail(400, "KeyTooLongError");
        (await rig.RunAsync("PUT", "/bucket/" + new string('a', 7000), "x")).MustFail(400, "KeyTooLongError");
    }

    [Theory]
    [InlineData("Admin")]
    [InlineData("..")]
    [InlineData("ab")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("10.0.0.1")]
    public async Task Case_21_buckets_that_cannot_be(string name)
    {
        (await rig.RunAsync("PUT", $"/{name}")).MustFail(400, "InvalidBucketName");
        (await rig.RunAsync("PUT", $"/{name}/key", "x")).Must(404);
    }

    [Fact]
    public async Task Case_22_ranges_that_are_none()
    {
        foreach (var (range, status) in ((string, int)[])
            [("bytes=5-2", 200), ("bytes=-0", 416), ("bytes=9223372036854775808-", 416),
            ("bytes=" + string.Join(',', Enumerable.Range(0, 100).Select(i => $"{i}-{i}")), 200)])
        {
            (await rig.RunAsync(rig.Call("GET", "/bucket/key").With("Range", range))).Must(status);
        }
    }

    [Fact]
    public async Task Case_23_parts_that_cannot_be()
    {
        var id = (await rig.RunAsync(rig.Call("POST", "/bucket/new").Ask("uploads"))).Must(200).One("UploadId");
        foreach (var number in (string[])["0", "10001", "-1", "x", ""])
            (await rig.RunAsync(Put.Ask("uploadId", id).Ask("partNumber", number).Send("x"))).MustFail(400, "InvalidArgument");
        (await rig.RunAsync(
            rig.Call("POST", "/bucket/new").Ask("uploadId", id).Send("<CompleteMultipartUpload/>"))).MustFail(400, "MalformedXML");
        (await rig.RunAsync(rig.Call("DELETE", "/bucket/new").Ask("uploadId", id))).Must(204);
        (await rig.RunAsync(rig.Call("POST", "/bucket/new").Ask("uploadId", id).Send(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"))).MustFail(
                404, "NoSuchUpload");
    }

    [Theory]
    [InlineData("/other/key", "NoSuchBucket")]
    [InlineData("/bucket/key?versionId=3", "NoSuchVersion")]
    [InlineData("/bucket/key?versionId=", "InvalidArgument")]
    [InlineData("/bucket/..%2Fother%2Fkey", "InvalidArgument")]
    [InlineData("/bucket/%2e%2e/other/key", "InvalidArgument")]
    [InlineData("/bucket", "InvalidArgument")]
    [InlineData("/bucket/", "InvalidArgument")]
    [InlineData("", "InvalidArgument")]
    [InlineData("%FF/key", "InvalidArgument")]
    [InlineData("%zz", "InvalidArgument")]
    [InlineData("/bucket/new", "NoSuchKey")]
    public async Task Case_24_sources_of_copies_that_are_not_the_callers(string source, string code) =>
        Assert.Equal(code, (await rig.RunAsync(Put.With("x-amz-copy-source", source))).Code);

    [Fact]
    public async Task Case_25_conditional_writes_at_the_same_time_have_one_winner()
    {
        var calls = Enumerable.Range(0, 16).Select(i => rig.RunAsync(Put.Send($"{i}").With("If-None-Match", "*"))).ToArray();
        var answers = await Task.WhenAll(calls);
        Assert.Equal(1, answers.Count(answer => answer.Status == 200));
        Assert.All(answers.Where(answer => answer.Status != 200), answer => answer.MustFail(412, "PreconditionFailed"));
        (await rig.RunAsync("DELETE", "/bucket/new")).Must(204);
    }

    [Fact]
    public async Task Case_26_XML_that_harms_or_is_none()
    {
        var delete = rig.Call("POST", "/bucket").Ask("delete");
        const string bomb =
            "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><Delete><Object><Key>&c;</Key></Object></Delete>";
        foreach (var body in (string[])
            [
                bomb, "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><Delete/>", "<Delete>", "x", "<Other/>", "<Delete/>",
                    "<Delete><Object/></Delete>",
                "<Delete><Object><Key>key</Key><Key>key</Key></Object></Delete>", "<Delete><Objects/></Delete>",
                "<Delete><Object><Key></Key></Object></Delete>",
                "<Delete>" + string.Concat(Enumerable.Repeat("<Object><Key>none</Key></Object>", 1001)) + "</Delete>",
                string.Concat(Enumerable.Repeat("<Delete>", 100_000)),
            ])
        {
            (await rig.RunAsync(delete.Send(body))).MustFail(400, "MalformedXML");
        }

        (await rig.RunAsync(delete)).MustFail(400, "MissingRequestBodyError");
        using var connection = new RawConnection(rig.EndPoint);
        await connection.SendAsync(
            Raw(delete.Send("x")).Replace("Content-Length: 1", "Content-Length: 104857600", StringComparison.Ordinal));
        Assert.Equal("EntityTooLarge", (await connection.ReceiveAsync())!.Code);
    }

    [Fact]
    public async Task Case_27_listings_with_limits_and_tokens_that_are_none()
    {
        foreach (var (name, value, status) in ((string, string, int)[])
            [
                ("max-keys", "-1", 400), ("max-keys", "1000000000", 200), ("max-keys", "99999999999999999999", 200), ("prefix", "a\0", 400),
                ("delimiter", "\0", 400), ("continuation-token", "AAAA", 400), ("continuation-token", "AS4uLy4uLw==", 200),
            ])
        {
            (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("list-type", "2").Ask(name, value))).Must(status);
        }
    }

    [Fact]
    public async Task Case_28_a_client_that_goes_away_in_the_middle_of_an_upload()
    {
        using (var connection = new RawConnection(rig.EndPoint))
        {
            var bytes = rig.Owner.Sign(Put.Send(new SeededRandom(1).Bytes(300_000))).ToBytes();
            await connection.SendAsync(bytes.AsMemory(0, 200_000));
            await TestKit.Waiting.UntilAsync(() => Uploads() == 1, "the upload has begun");
        }

        await TestKit.Waiting.UntilAsync(() => Uploads() == 0, "the upload is given up");

        int Uploads() => rig.Metadata.ListIntentsAsync(null, null, false, 10).Result.Count;
    }

    [Fact]
    public async Task Case_29_a_client_that_sends_a_byte_now_and_then()
    {
        using var connection = new RawConnection(rig.EndPoint);
        var bytes = rig.Owner.Sign(Put.Send(new byte[10_000])).ToBytes();
        await connection.SendAsync(bytes.AsMemory(0, bytes.Length - 9_990));
        // The server's own clock goes on.
        var answer = await connection.ReceiveAsync();
        Assert.Equal("RequestTimeout", answer?.Code ?? "RequestTimeout");
    }

    [Theory]
    [InlineData("GET", "/minio/health/live")]
    [InlineData("GET", "//minio//admin")]
    [InlineData("GET", "/%2e%2e/metrics")]
    [InlineData("POST", "/metrics")]
    [InlineData("TRACE", "/")]
    [InlineData("CONNECT", "/")]
    [InlineData("PATCH", "/bucket/key")]
    [InlineData("OPTIONS", "/")]
    [InlineData("OPTIONS", "/bucket/key")]
    public async Task Case_30_other_paths_and_methods_have_nothing_behind_them(string method, string path)
    {
        var response = await rig.SendAsync(rig.Call(method, path) with { RawTarget = path });
        Assert.InRange(response.Status, 400, 499);
    }
}
