namespace Ashlar.S3.Tests.Policies;

/// <summary>Fields of forms mean what the headers of their names mean.</summary>
public sealed class FormHeaderTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    Task<RawResponse> PostAsync(params (string Name, string Value)[] fields)
    {
        var conditions = string.Join(',', fields.Select(field => $$"""["starts-with","${{field.Name}}",""]"""));
        var policy = TestForm.Policy(rig, $$"""{"bucket":"bucket"},{"key":"key"},{{conditions}}""");
        return rig.SendAsync(TestForm.Of(rig, rig.Owner, policy, "text"u8.ToArray(), [("key", "key"), .. fields]));
    }

    [Fact]
    public async Task What_is_not_supported_or_too_long_is_refused()
    {
        var sum = Convert.ToBase64String(RunningChecksum.Of(ChecksumAlgorithm.Crc32, "text"u8));
        foreach (var (name, value, code) in ((string, string, string)[])
            [
                ("x-amz-server-side-encryption", "AES256", "NotImplemented"), ("x-amz-object-lock-mode", "GOVERNANCE", "NotImplemented"),
                ("x-amz-website-redirect-location", "/x", "NotImplemented"), ("x-amz-storage-class", "GLACIER", "InvalidStorageClass"),
                ("x-amz-acl", "public-read", "AccessControlListNotSupported"), ("cache-control", new string('x', 2049), "InvalidArgument"),
                ("x-amz-checksum-xxhash64", "AAAA", "InvalidRequest"), ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
            ])
        {
            Assert.Equal(code, (await PostAsync((name, value))).Code);
        }

        (await PostAsync(("x-amz-checksum-crc32", sum), ("x-amz-checksum-crc32c", "AAAAAA=="))).MustFail(400, "InvalidRequest");
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
        (await PostAsync(
            ("x-amz-checksum-crc32", sum), ("content-encoding", "aws-chunked,gzip"), ("x-amz-storage-class", "STANDARD"))).Must(204);
        Assert.Equal("gzip", (await rig.RunAsync("GET", "/bucket/key")).Header("Content-Encoding"));
    }

    [Fact]
    public async Task A_policy_with_a_length_beyond_all_is_none()
    {
        var policy = TestForm.Policy(rig, """{"bucket":"bucket"},{"key":"key"},["content-length-range","0","99999999999999999999"]""");
        (await rig.SendAsync(TestForm.Of(rig, rig.Owner, policy, "text"u8.ToArray(), ("key", "key")))).MustFail(
            400, "InvalidPolicyDocument");
    }
}
