namespace Ashlar.S3.Tests.Authentication;

/// <summary>Headers that whoever presigned a request put into its query: they are heeded, or the request is refused.</summary>
public sealed class PresignedHeaderTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/source", "content")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    Task<RawResponse> SendAsync(S3Call call) => rig.SendAsync(rig.Owner.Presign(call));

    S3Call Put => rig.Call("PUT", "/bucket/key");

    [Fact]
    public async Task What_was_signed_of_an_object_is_what_it_gets()
    {
        var sum = Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Sha256, "text"u8));
        var put = Put.Ask("X-Amz-Checksum-Sha256", sum).Ask("x-amz-meta-A", "1").Ask("x-amz-tagging", "a=b").Ask("x-id", "PutObject");
        (await SendAsync(put.Send("other"))).MustFail(400, "BadDigest");
        (await rig.RunAsync("GET", "/bucket/key")).MustFail(404, "NoSuchKey");
        (await SendAsync(put.Send("text"))).Must(200);
        var head = (await SendAsync(rig.Call("HEAD", "/bucket/key").Ask("x-amz-checksum-mode", "ENABLED"))).Must(200);
        Assert.Equal(
            (sum, "1", "1"), (head.Header("x-amz-checksum-sha256"), head.Header("x-amz-meta-a"), head.Header("x-amz-tagging-count")));
    }

    [Fact]
    public async Task What_is_not_supported_is_refused_there_too()
    {
        foreach (var (name, value, code) in ((string, string, string)[])
            [
                ("x-amz-acl", "public-read", "AccessControlListNotSupported"),
                ("X-Amz-Grant-Read", "id=x", "AccessControlListNotSupported"),
                ("x-amz-server-side-encryption", "AES256", "NotImplemented"), ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"),
                ("x-amz-storage-class", "GLACIER", "InvalidStorageClass"), ("x-amz-expected-bucket-owner", "x", "AccessDenied"),
                ("x-amz-checksum-xxhash64", "AAAA", "InvalidRequest"), ("x-amz-meta-a", "a\nb", "InvalidArgument"),
                ("x-amz-meta-a(b", "1", "InvalidArgument"), ("x-amz-security-token", "x", "InvalidToken"),
            ])
        {
            Assert.Equal(code, (await SendAsync(Put.Ask(name, value).Send("x"))).Code);
        }

        (await SendAsync(Put.Ask("x-amz-meta-a", "1").Ask("X-Amz-Meta-A", "2").Send("x"))).MustFail(400, "InvalidArgument");
        (await SendAsync(Put.Ask("x-amz-meta-a", "1").With("x-amz-meta-a", "2").Send("x"))).MustFail(400, "InvalidArgument");
        Assert.Equal(["source"], (await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    [Fact]
    public async Task A_copy_is_one_and_not_an_empty_object()
    {
        (await SendAsync(Put.Ask("x-amz-copy-source", "/bucket/source"))).Must(200);
        Assert.Equal("content", (await rig.RunAsync("GET", "/bucket/key")).Text);
    }

    /// <summary>The SDK for JavaScript adds the checksum of no content to whatever will be sent.</summary>
    [Fact]
    public async Task The_checksum_of_a_body_that_the_signer_had_not_is_none()
    {
        var put = Put.Ask("x-amz-checksum-crc32", "AAAAAA==").Ask("x-amz-sdk-checksum-algorithm", "CRC32").Ask("x-id", "PutObject");
        (await SendAsync(put.Send("text"))).Must(200);
        Assert.Equal("text", (await rig.RunAsync("GET", "/bucket/key")).Text);
        (await SendAsync(Put.Ask("x-amz-checksum-crc32", "AAAAAQ==").Send("text"))).MustFail(400, "BadDigest");
    }

    [Fact]
    public async Task Where_the_signature_is_in_a_header_or_nowhere_they_are_refused()
    {
        var put = Put.Ask("x-amz-copy-source", "/bucket/source");
        (await rig.RunAsync(put)).MustFail(501, "NotImplemented");
        (await rig.SendAsync(put)).MustFail(403, "AccessDenied");
        (await rig.RunAsync(rig.Call("GET", "/bucket/source").Ask("x-amz-checksum-mode", "ENABLED"))).MustFail(501, "NotImplemented");
        (await rig.RunAsync(rig.Call("GET", "/bucket/source").Ask("x-id", "GetObject"))).Must(200);
    }

    [Fact]
    public async Task A_token_of_a_session_is_refused_wherever_it_is()
    {
        (await rig.RunAsync(Put.With("x-amz-security-token", "x").Send("x"))).MustFail(400, "InvalidToken");
        (await SendAsync(Put.With("x-amz-security-token", "x").Send("x"))).MustFail(400, "InvalidToken");
        var policy = TestForm.Policy(rig, """{"bucket":"bucket"},{"key":"key"},{"x-amz-security-token":"x"}""");
        var form = TestForm.Of(rig, rig.Owner, policy, "x"u8.ToArray(), ("key", "key"), ("x-amz-security-token", "x"));
        (await rig.SendAsync(form)).MustFail(400, "InvalidToken");
    }
}
