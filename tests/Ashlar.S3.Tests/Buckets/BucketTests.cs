namespace Ashlar.S3.Tests.Buckets;

public sealed class BucketTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync() => rig = await S3Rig.CreateAsync();

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task Buckets_are_made_listed_and_deleted_when_they_are_empty()
    {
        foreach (var name in (string[])["b-2", "a.1", "c-3"]) (await rig.RunAsync("PUT", $"/{name}")).Must(200);
        (await rig.RunAsync("PUT", "/b-2")).MustFail(409, "BucketAlreadyOwnedByYou");
        var all = (await rig.RunAsync("GET", "/")).Must(200);
        Assert.Equal(["a.1", "b-2", "c-3"], all.All("Name"));
        var first = (await rig.RunAsync(rig.Call("GET", "/").Ask("max-buckets", "2"))).Must(200);
        Assert.Equal(["a.1", "b-2"], first.All("Name"));
        Assert.Equal(
            ["c-3"], (await rig.RunAsync(rig.Call("GET", "/").Ask("continuation-token", first.One("ContinuationToken")))).All("Name"));
        (await rig.RunAsync("HEAD", "/b-2")).Must(200);
        (await rig.RunAsync("HEAD", "/none")).Must(404);
        (await rig.RunAsync("PUT", "/b-2/key", "x")).Must(200);
        (await rig.RunAsync("DELETE", "/b-2")).MustFail(409, "BucketNotEmpty");
        (await rig.RunAsync("DELETE", "/b-2/key")).Must(204);
        (await rig.RunAsync("DELETE", "/b-2")).Must(204);
        (await rig.RunAsync("DELETE", "/b-2")).MustFail(404, "NoSuchBucket");
        (await rig.RunAsync("PUT", "/b-2/key", "x")).MustFail(404, "NoSuchBucket");
        Assert.Equal(["a.1", "c-3"], (await rig.RunAsync("GET", "/")).All("Name"));
    }

    [Theory]
    [InlineData("Admin")]
    [InlineData("ab")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("192.168.5.4")]
    [InlineData("a..b")]
    [InlineData("-ab")]
    [InlineData("ab-")]
    [InlineData("a_b")]
    [InlineData("a.-b")]
    [InlineData("xn--abc")]
    [InlineData("a b c")]
    [InlineData("...")]
    public async Task Names_that_no_bucket_can_have_are_refused(string name)
    {
        var before = await rig.DescribeAsync();
        (await rig.RunAsync("PUT", $"/{name}")).MustFail(400, "InvalidBucketName");
        (await rig.RunAsync("GET", $"/{name}")).MustFail(404, "NoSuchBucket");
        Assert.Equal(before, await rig.DescribeAsync());
    }

    [Fact]
    public async Task What_clients_ask_of_a_bucket_has_the_answer_that_they_know()
    {
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        foreach (var (key, status, what) in ((string, int, string)[])
            [
                ("location", 200, "LocationConstraint"),
                ("versioning", 200, "VersioningConfiguration"), ("acl", 200, "AccessControlPolicy"),
                ("lifecycle", 404, "NoSuchLifecycleConfiguration"), ("encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
                ("website", 404, "NoSuchWebsiteConfiguration"), ("replication", 404, "ReplicationConfigurationNotFoundError"),
                ("object-lock", 404, "ObjectLockConfigurationNotFoundError"),
                ("publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
                ("ownershipControls", 404, "OwnershipControlsNotFoundError"), ("requestPayment", 200, "RequestPaymentConfiguration"),
                ("logging", 200, "BucketLoggingStatus"), ("notification", 200, "NotificationConfiguration"),
                ("accelerate", 200, "AccelerateConfiguration"),
                ("policy", 404, "NoSuchBucketPolicy"), ("cors", 404, "NoSuchCORSConfiguration"), ("tagging", 404, "NoSuchTagSet"),
            ])
        {
            var response = (await rig.RunAsync(rig.Call("GET", "/bucket").Ask(key))).Must(status);
            Assert.Equal(what, status == 200 ? response.Xml.Name.LocalName : response.Code);
        }
    }

    [Fact]
    public async Task A_bucket_of_another_region_is_refused()
    {
        const string body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        (await rig.RunAsync("PUT", "/bucket", body)).MustFail(400, "InvalidLocationConstraint");
        (await rig.RunAsync("PUT", "/bucket", body.Replace("eu-west-1", "us-east-1", StringComparison.Ordinal))).Must(200);
    }

    [Fact]
    public async Task A_bucket_can_stand_in_the_host()
    {
        await using var named = await S3Rig.CreateAsync(options => options with { Domains = ["files.example"] });
        S3Call Call(string method, string path) => new(method, path) { Headers = [("host", "bucket.files.example")] };
        (await named.RunAsync(Call("PUT", "/"))).Must(200);
        (await named.RunAsync(Call("PUT", "/a/b").Send("x"))).Must(200);
        Assert.Equal("x", (await named.RunAsync("GET", "/bucket/a/b")).Text);
        Assert.Equal("a/b", (await named.RunAsync(Call("GET", "/"))).One("Key"));
        // What is told of an object's place names the bucket once.
        var id = (await named.RunAsync(Call("POST", "/a/c").Ask("uploads"))).Must(200).One("UploadId");
        var tag = (await named.RunAsync(Call("PUT", "/a/c").Ask("uploadId", id).Ask("partNumber", "1").Send("x"))).Must(200).Header("ETag");
        var complete = Call("POST", "/a/c").Ask("uploadId", id)
            .Send($"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>");
        Assert.Equal("http://bucket.files.example/a/c", (await named.RunAsync(complete)).Must(200).One("Location"));
    }

    [Fact]
    public async Task Errors_name_what_was_asked_for_and_the_request()
    {
        var response = await rig.RunAsync("GET", "/none/key");
        var error = response.MustFail(404, "NoSuchBucket").Xml;
        Assert.Equal("/none/key", error.Element("Resource")!.Value);
        Assert.Equal(response.Header("x-amz-request-id"), error.Element("RequestId")!.Value);
        Assert.Contains(rig.Events, happened => happened.RequestId == response.Header("x-amz-request-id") && happened.Message.Contains(
            "404", StringComparison.Ordinal));
    }
}
