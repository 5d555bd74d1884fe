using System.Diagnostics;
using System.Text;

namespace Ashlar.S3.Tests.Policies;

/// <summary>Whose bucket a name means to who shows no key.</summary>
public sealed class OpenBucketsTests : IAsyncLifetime
{
    const string Policy = """{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}""";

    const string Rules =
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";

    S3Rig rig = null!;
    S3Server second = null!;

    public async Task InitializeAsync()
    {
        S3ServerOptions? used = null;
        rig = await S3Rig.CreateAsync(options => used = options);
        second = await S3Server.StartAsync(used!);
        foreach (var signer in (TestSigner[])[rig.Owner, rig.Stranger])
        {
            (await rig.SendAsync(signer.Sign(rig.Call("PUT", "/bucket")))).Must(200);
            (await rig.SendAsync(signer.Sign(rig.Call("PUT", "/bucket/key").Send(signer.KeyId)))).Must(200);
        }
    }

    public async Task DisposeAsync()
    {
        await second.DisposeAsync();
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task A_bucket_is_public_through_every_server_at_once()
    {
        Assert.Equal(403, (await AnybodyAsync()).Status);
        (await SetAsync(rig.Owner)).Must(204);
        Assert.Equal(rig.Owner.KeyId, (await AnybodyAsync()).Must(200).Text);
        Assert.Equal(403, (await AnybodyAsync("other")).Status);
    }

    [Fact]
    public async Task A_name_stays_its_holders_until_the_bucket_is_gone()
    {
        (await SetAsync(rig.Owner)).Must(204);
        (await rig.RunAsync(rig.Call("DELETE", "/bucket").Ask("policy"))).Must(204);
        (await SetAsync(rig.Stranger)).MustFail(409, "BucketAlreadyExists");
        (await SetAsync(rig.Owner)).Must(204);
        Assert.Equal(rig.Owner.KeyId, (await AnybodyAsync()).Text);
        (await rig.RunAsync("DELETE", "/bucket/key")).Must(204);
        (await rig.RunAsync("DELETE", "/bucket")).Must(204);
        (await SetAsync(rig.Stranger)).Must(204);
        Assert.Equal(rig.Stranger.KeyId, (await AnybodyAsync()).Text);
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await SetAsync(rig.Owner)).MustFail(409, "BucketAlreadyExists");
        (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("policy"))).MustFail(404, "NoSuchBucketPolicy");
    }

    [Fact]
    public async Task Of_two_customers_at_the_same_moment_one_is_public()
    {
        for (var round = 0; round < 20; round++)
        {
            var name = $"bucket-{round}";
            var policy = Policy.Replace("bucket", name, StringComparison.Ordinal);
            var answers = await Task.WhenAll(((TestSigner[])[rig.Owner, rig.Stranger]).Select(async signer =>
            {
                (await rig.SendAsync(signer.Sign(rig.Call("PUT", $"/{name}")))).Must(200);
                return (await rig.SendAsync(signer.Sign(rig.Call("PUT", $"/{name}").Ask("policy").Send(policy)))).Status;
            }));
            Assert.Equal([204, 409], answers.Order());
        }
    }

    [Fact]
    public async Task Rules_of_any_customer_let_pages_in()
    {
        foreach (var signer in (TestSigner[])[rig.Owner, rig.Stranger])
            (await rig.SendAsync(signer.Sign(rig.Call("PUT", "/bucket").Ask("cors").Send(Rules)))).Must(200);
        (await rig.RunAsync(rig.Call("DELETE", "/bucket").Ask("cors"))).Must(204);
        var preflight = rig.Call("OPTIONS", "/bucket/key").With("Origin", "https://a").With("Access-Control-Request-Method", "GET");
        (await rig.SendAsync(preflight)).Must(200);
    }

    [Fact]
    public void A_policy_and_a_key_cost_little_however_they_are_made()
    {
        var actions = string.Join(',', Enumerable.Repeat("\"s3:GetObject\"", 300));
        var resources = string.Join(',', Enumerable.Range(0, 10).Select(i => $"\"arn:aws:s3:::bucket/*a?{new string('a', 490)}{i}*b*\""));
        var json = $$$"""{"Statement":{"Effect":"Allow","Principal":"*","Action":[{{{actions}}}],"Resource":[{{{resources}}}]}}""";
        Assert.InRange(json.Length, 9000, BucketPolicy.MaxBytes);
        var policy = BucketPolicy.Parse("bucket", Encoding.UTF8.GetBytes(json));
        var begun = Stopwatch.GetTimestamp();
        Assert.False(policy.Allows(BucketPolicy.GetObject, "bucket", new string('a', 8000)));
        Assert.InRange(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    Task<RawResponse> SetAsync(TestSigner signer) => rig.SendAsync(signer.Sign(rig.Call("PUT", "/bucket").Ask("policy").Send(Policy)));

    // Through the server that was not told.
    async Task<RawResponse> AnybodyAsync(string key = "key")
    {
        using var connection = new RawConnection(second.EndPoint);
        await connection.SendAsync($"GET /{(key == "key" ? "bucket" : "bucket-other")}/{key} HTTP/1.1\r\nHost: a\r\n\r\n");
        return (await connection.ReceiveAsync())!;
    }
}
