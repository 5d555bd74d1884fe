namespace Ashlar.S3.Tests.Objects;

/// <summary>What is refused at once, and what has an answer without a body.</summary>
public sealed class RefusedTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/a", "content")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/d/e/f", "content")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Theory]
    [InlineData("/bucket/a/b")]
    [InlineData("/bucket/a/b/c/d")]
    [InlineData("/bucket/d")]
    [InlineData("/bucket/d/e")]
    public async Task A_name_that_cannot_be_is_refused_before_its_content_comes(string path)
    {
        var before = await rig.DescribeAsync();
        var call = rig.Call("PUT", path).With("Expect", "100-continue").Send(new byte[2 << 20]);
        foreach (var signed in (S3Call[])[rig.Owner.Sign(call), rig.Owner.SignChunks(call)])
        {
            using var connection = new RawConnection(rig.EndPoint);
            var bytes = signed.ToBytes();
            await connection.SendAsync(bytes.AsMemory(0, bytes.Length - signed.Body.Length));
            (await connection.ReceiveAsync())!.MustFail(400, "InvalidRequest");
        }

        (await rig.RunAsync(rig.Call("POST", path).Ask("uploads"))).MustFail(400, "InvalidRequest");
        Assert.Equal(before, await rig.DescribeAsync());
    }

    [Fact]
    public async Task Names_that_can_be_are_not()
    {
        foreach (var path in (string[])["/bucket/a", "/bucket/d/e/f", "/bucket/d/g", "/bucket/new/h/i"])
        {
            (await rig.RunAsync(rig.Call("PUT", path).Send(new byte[2 << 20]))).Must(200);
            (await rig.RunAsync(rig.Call("POST", path).Ask("uploads"))).Must(200);
        }
    }

    [Fact]
    public async Task Attributes_that_have_not_changed_have_no_body()
    {
        var tag = (await rig.RunAsync("HEAD", "/bucket/a")).Header("ETag")!;
        var call = rig.Call("GET", "/bucket/a").Ask("attributes").With("x-amz-object-attributes", "ETag");
        var response = (await rig.RunAsync(call.With("If-None-Match", tag))).Must(304);
        Assert.Equal(tag, response.Header("ETag"));
        (await rig.RunAsync(call.With("If-Match", "\"x\""))).MustFail(412, "PreconditionFailed");
        (await rig.RunAsync(call)).Must(200);
        Assert.DoesNotContain(rig.Events, happened => happened.Kind == S3EventKind.Failed);
    }

    [Fact]
    public async Task A_copy_of_what_others_own_or_with_another_checksum_is_refused()
    {
        var copy = rig.Call("PUT", "/bucket/b").With("x-amz-copy-source", "bucket/a");
        (await rig.RunAsync(copy.With("x-amz-source-expected-bucket-owner", Caller.IdOf(rig.OtherCustomer)))).MustFail(403, "AccessDenied");
        (await rig.RunAsync(copy.With("x-amz-checksum-algorithm", "SHA256"))).MustFail(501, "NotImplemented");
        (await rig.RunAsync("GET", "/bucket/b")).MustFail(404, "NoSuchKey");
        (await rig.RunAsync(copy.With("x-amz-source-expected-bucket-owner", Caller.IdOf(rig.Customer)))).Must(200);
        var sum = Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Sha256, "content"u8));
        (await rig.RunAsync(rig.Call("PUT", "/bucket/a").With("x-amz-checksum-sha256", sum).Send("content"))).Must(200);
        Assert.Equal(sum, (await rig.RunAsync(copy.With("x-amz-checksum-algorithm", "SHA256"))).Must(200).One("ChecksumSHA256"));
    }

    [Fact]
    public async Task Chunks_without_a_signature_and_without_a_checksum_are_refused()
    {
        (await rig.SendAsync(rig.Owner.SignUnsignedChunks(rig.Call("PUT", "/bucket/b").Send("text")))).MustFail(400, "InvalidRequest");
        (await rig.SendAsync(rig.Owner.SignUnsignedChunks(
            rig.Call("PUT", "/bucket/b").Send("text"), 8192, ("x-other", "1")))).MustFail(400, "InvalidRequest");
        (await rig.RunAsync("GET", "/bucket/b")).MustFail(404, "NoSuchKey");
    }

    [Fact]
    public async Task Line_ends_in_keys_come_back_as_they_are()
    {
        string[] keys = ["l\ra", "l\r\nb", "l\nc"];
        foreach (var key in keys) (await rig.RunAsync("PUT", $"/bucket/{key}", "x")).Must(200);
        var listed = await rig.RunAsync(rig.Call("GET", "/bucket").Ask("prefix", "l"));
        Assert.Equal(keys.Order(StringComparer.Ordinal), listed.All("Key"));
        var body = string.Concat(keys.Select(key => $"<Object><Key>{key.Replace("\r", "&#13;", StringComparison.Ordinal)}</Key></Object>"));
        Assert.Equal(keys, (await rig.RunAsync(rig.Call("POST", "/bucket").Ask("delete").Send($"<Delete>{body}</Delete>"))).All("Key"));
        Assert.Empty((await rig.RunAsync(rig.Call("GET", "/bucket").Ask("prefix", "l"))).All("Key"));
    }
}
