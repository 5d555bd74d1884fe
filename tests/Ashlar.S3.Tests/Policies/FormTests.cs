using System.Text;

namespace Ashlar.S3.Tests.Policies;

/// <summary>Objects that browsers send as forms.</summary>
public sealed class FormTests : IAsyncLifetime
{
    const string Conditions =
        """{"bucket":"bucket"},["starts-with","$key","user/"],{"success_action_status":"201"},["content-length-range",2,10]""";

    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    Task<RawResponse> PostAsync(
        string? conditions = Conditions, string key = "user/${filename}", string content = "text", int minutes = 10,
            TestSigner? signer = null,
        params (string, string)[] more) => rig.SendAsync(TestForm.Of(
            rig, signer ?? rig.Owner, conditions is null ? null : TestForm.Policy(
                rig, conditions, minutes), Encoding.UTF8.GetBytes(content),
            [("key", key), ("success_action_status", "201"), .. more]));

    [Fact]
    public async Task A_form_makes_the_object_that_its_policy_allows()
    {
        var answer = (await PostAsync()).Must(201);
        Assert.Equal(("user/a.txt", "bucket"), (answer.One("Key"), answer.One("Bucket")));
        Assert.Equal("text", (await rig.RunAsync("GET", "/bucket/user/a.txt")).Text);
    }

    [Fact]
    public async Task What_the_policy_does_not_allow_is_refused_and_leaves_nothing()
    {
        (await PostAsync(conditions: null)).MustFail(403, "AccessDenied");
        (await PostAsync(minutes: 0)).MustFail(403, "AccessDenied");
        (await PostAsync(key: "other/a")).MustFail(403, "AccessDenied");
        (await PostAsync(more: ("x-amz-meta-a", "1"))).MustFail(403, "AccessDenied");
        (await PostAsync(content: "12345678901")).MustFail(400, "EntityTooLarge");
        (await PostAsync(content: "1")).MustFail(400, "EntityTooSmall");
        (await PostAsync(signer: rig.Reader)).MustFail(403, "AccessDenied");
        (await PostAsync(signer: rig.Stranger)).MustFail(404, "NoSuchBucket");
        (await PostAsync(signer: rig.Owner.But(secret: "x"))).MustFail(403, "SignatureDoesNotMatch");
        (await PostAsync(signer: rig.Owner.But(keyId: "x"))).MustFail(403, "SignatureDoesNotMatch");
        (await PostAsync(
            Conditions.Replace("bucket\":\"bucket", "bucket\":\"other", StringComparison.Ordinal))).MustFail(403, "AccessDenied");
        (await PostAsync("\"x\"")).MustFail(400, "InvalidPolicyDocument");
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }

    [Fact]
    public async Task Bodies_that_are_no_form_are_refused()
    {
        var call = rig.Call("POST", "/bucket");
        (await rig.SendAsync(call.Send("text"))).MustFail(400, "MalformedPOSTRequest");
        (await rig.SendAsync(call.With("Content-Type", "multipart/form-data").Send("text"))).MustFail(400, "MalformedPOSTRequest");
        (await rig.SendAsync(call.With("Content-Type", "multipart/form-data; boundary=x").Send("text"))).MustFail(
            400, "MalformedPOSTRequest");
        (await rig.SendAsync(
            call.With("Content-Type", "multipart/form-data; boundary=x").Send("--x--\r\n"))).MustFail(400, "InvalidArgument");
        var whole = TestForm.Of(rig, rig.Owner, "key", new byte[100]);
        for (var length = 0; length < whole.Body.Length - 10; length += 7)
            Assert.InRange((await rig.SendAsync(whole with { Body = whole.Body[..length] })).Status, 400, 403);
        (await rig.RunAsync(whole)).MustFail(400, "InvalidArgument");
        Assert.Empty((await rig.RunAsync("GET", "/bucket")).All("Key"));
    }
}
