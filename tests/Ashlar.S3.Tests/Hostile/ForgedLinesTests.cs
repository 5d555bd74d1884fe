namespace Ashlar.S3.Tests.Hostile;

/// <summary>What is written of requests, and what they bring that cannot be shown again.</summary>
public sealed class ForgedLinesTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/key", "x")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    [Fact]
    public async Task A_request_is_one_line_of_the_log_whatever_it_asks_for()
    {
        await rig.SendAsync(rig.Call("GET", "/x") with { RawTarget = "/x%0AGET%20/secret:%20200%0D%E2%80%A8?X-Amz-Signature=secret" });
        lock (rig.Events)
        {
            Assert.All(rig.Events, happened => Assert.DoesNotContain(happened.Message, char.IsControl));
            Assert.Contains(rig.Events, happened => happened.Message.StartsWith(
                "GET /x%0AGET%20/secret:%20200%0D%E2%80%A8: 4", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_name_that_no_header_can_have_neither_comes_in_nor_makes_an_object_unreadable()
    {
        const string conditions = """{"bucket":"bucket"},["starts-with","$key",""],["starts-with","$x-amz-meta-a(b",""]""";
        var form = TestForm.Of(rig, rig.Owner, TestForm.Policy(rig, conditions), [1], ("key", "new"), ("x-amz-meta-a(b", "1"));
        (await rig.SendAsync(form)).MustFail(400, "InvalidArgument");
        // By another door.
        await rig.Files.SetPropertiesAsync(
            rig.Customer, S3Request.PathOf("bucket", "key"),
            new(false, new Dictionary<string, string?>(StringComparer.Ordinal) { ["x-amz-meta-a=b"] = "1" }, false), null);
        var got = (await rig.RunAsync("GET", "/bucket/key")).Must(200);
        Assert.Equal(("x", "1"), (got.Text, got.Header("x-amz-missing-meta")));
    }

    [Fact]
    public async Task Parameters_that_are_none_of_S3_do_not_hide_an_object()
    {
        (await rig.RunAsync(rig.Call("PUT", "/bucket").Ask("policy").Send(
            """{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}"""))).Must(204);
        foreach (var method in (string[])["GET", "HEAD"])
        {
            (await rig.SendAsync(rig.Call(method, "/bucket/key").Ask("v", "3").Ask("utm_source", "x"))).Must(200);
            (await rig.RunAsync(rig.Call(method, "/bucket/key").Ask("v", "3"))).Must(200);
            foreach (var name in (string[])["torrent", "acl", "uploadId", "policy"])
                Assert.InRange((await rig.SendAsync(rig.Call(method, "/bucket/key").Ask(name, "3"))).Status, 400, 501);
        }

        Assert.Equal(501, (await rig.RunAsync(rig.Call("PUT", "/bucket/key").Ask("v", "3").Send("y"))).Status);
    }
}
