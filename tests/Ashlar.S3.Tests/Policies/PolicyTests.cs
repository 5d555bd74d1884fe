namespace Ashlar.S3.Tests.Policies;

/// <summary>What buckets open to anybody, and to pages of other origins.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    S3Rig rig = null!;

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/open/key", "text")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/closed", "text")).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    static string Policy(string action = "\"s3:GetObject\"", string resource = "\"arn:aws:s3:::bucket/open/*\"", string effect = "Allow",
        string principal = "\"*\"", string more = "") =>
        $$"""{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"{{effect}}","Principal":{{principal}},"""
            + $$"""
              "Action":{{action}},"Resource":{{resource}}{{more}}}]}
              """;

    Task<RawResponse> SetAsync(string policy) => rig.RunAsync(rig.Call("PUT", "/bucket").Ask("policy").Send(policy));

    [Fact]
    public async Task A_policy_opens_what_it_names_to_be_read_by_anybody_and_nothing_else()
    {
        (await SetAsync(Policy())).Must(204);
        Assert.Equal(Policy(), (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("policy"))).Must(200).Text);
        Assert.Equal("true", (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("policyStatus"))).One("IsPublic"));
        var got = (await rig.SendAsync(rig.Call("GET", "/bucket/open/key"))).Must(200);
        Assert.Equal("text", got.Text);
        (await rig.SendAsync(rig.Call("HEAD", "/bucket/open/key"))).Must(200);
        (await rig.SendAsync(rig.Call("GET", "/bucket/open/none"))).MustFail(404, "NoSuchKey");
        (await rig.SendAsync(rig.Call("GET", "/bucket/open/key").Ask("response-content-type", "a/b"))).MustFail(400, "InvalidRequest");
        foreach (var call in (S3Call[])
            [
                rig.Call("GET", "/bucket/closed"), rig.Call("GET", "/bucket"), rig.Call("HEAD", "/bucket"), rig.Call(
                    "PUT", "/bucket/open/key").Send("x"),
                rig.Call("DELETE", "/bucket/open/key"), rig.Call("GET", "/bucket/open/key").Ask("tagging"), rig.Call(
                    "GET", "/bucket").Ask("policy"),
                rig.Call("PUT", "/bucket").Ask("policy").Send(Policy()), rig.Call("GET", "/"), rig.Call("GET", "/bucket").Ask("versions"),
                rig.Call("POST", "/bucket/open/key").Ask("uploads"),
            ])
        {
            Assert.Equal(403, (await rig.SendAsync(call)).Status);
        }

        (await rig.RunAsync(rig.Call("DELETE", "/bucket").Ask("policy"))).Must(204);
        (await rig.SendAsync(rig.Call("GET", "/bucket/open/key"))).MustFail(403, "AccessDenied");
        (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("policy"))).MustFail(404, "NoSuchBucketPolicy");
    }

    [Fact]
    public async Task A_bucket_can_be_listed_by_anybody_if_its_policy_says_so()
    {
        (await SetAsync(Policy("[\"s3:ListBucket\",\"s3:GetObject\"]", "[\"arn:aws:s3:::bucket\",\"arn:aws:s3:::bucket/*\"]",
            principal: "{\"AWS\":[\"*\"]}"))).Must(204);
        Assert.Equal(["closed", "open/key"], (await rig.SendAsync(rig.Call("GET", "/bucket").Ask("list-type", "2"))).Must(200).All("Key"));
        (await rig.SendAsync(rig.Call("GET", "/bucket/closed"))).Must(200);
    }

    [Fact]
    public async Task A_wrong_signature_is_refused_where_none_would_do()
    {
        (await SetAsync(Policy())).Must(204);
        (await rig.SendAsync(rig.Owner.But(secret: "x").Sign(rig.Call("GET", "/bucket/open/key")))).MustFail(403, "SignatureDoesNotMatch");
        (await rig.SendAsync(rig.Call("GET", "/bucket/open/key").With("Authorization", "nonsense"))).MustFail(400, "InvalidRequest");
    }

    [Fact]
    public async Task Of_two_customers_one_can_make_a_bucket_of_a_name_public()
    {
        (await rig.SendAsync(rig.Stranger.Sign(rig.Call("PUT", "/bucket")))).Must(200);
        (await SetAsync(Policy())).Must(204);
        (await rig.SendAsync(
            rig.Stranger.Sign(rig.Call("PUT", "/bucket").Ask("policy").Send(Policy())))).MustFail(409, "BucketAlreadyExists");
        (await rig.SendAsync(rig.Stranger.Sign(rig.Call("GET", "/bucket/open/key")))).MustFail(404, "NoSuchKey");
    }

    [Fact]
    public async Task Policies_that_say_more_are_refused()
    {
        foreach (var (policy, status, code) in ((string, int, string)[])
            [
                (Policy("\"s3:*\""), 501, "NotImplemented"), (Policy("\"s3:PutObject\""), 501, "NotImplemented"),
                (Policy(effect: "Deny"), 501, "NotImplemented"),
                (Policy(principal: "{\"AWS\":\"arn:aws:iam::1:root\"}"), 501, "NotImplemented"),
                (Policy(more: ",\"Condition\":{}"), 501, "NotImplemented"),
                (Policy(resource: "\"arn:aws:s3:::other/*\""), 400, "MalformedPolicy"), (Policy(resource: "\"*\""), 400, "MalformedPolicy"),
                ("{}", 400, "MalformedPolicy"), ("x", 400, "MalformedPolicy"),
                ("", 400, "MalformedPolicy"), (new string('[', 10_000), 400, "MalformedPolicy"),
                (new string(' ', 20_000), 400, "EntityTooLarge"),
            ])
        {
            (await SetAsync(policy)).MustFail(status, code);
        }

        (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("policy"))).MustFail(404, "NoSuchBucketPolicy");
    }

    [Theory]
    [InlineData("open/*", "open/key", true)]
    [InlineData("open/*", "open", false)]
    [InlineData("*", "a/b", true)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("*.jpg", "a/b.jpg", true)]
    [InlineData("*.jpg", "a/b.jpg.txt", false)]
    [InlineData("a*b*c", "axxbxxc", true)]
    [InlineData("a*b*c", "axxcxxb", false)]
    public void Patterns_match_as_they_do_in_policies(string pattern, string key, bool matches)
    {
        var policy = BucketPolicy.Parse(
            "bucket", System.Text.Encoding.UTF8.GetBytes(Policy(resource: $"\"arn:aws:s3:::bucket/{pattern}\"")));
        Assert.Equal(matches, policy.Allows(BucketPolicy.GetObject, "bucket", key));
        Assert.False(policy.Allows(BucketPolicy.ListBucket, "bucket", key));
    }

    [Fact]
    public async Task Pages_of_other_origins_are_let_in_by_rules_alone()
    {
        const string rules = "<CORSConfiguration><CORSRule><AllowedOrigin>https://*.example</AllowedOrigin>"
            + "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>"
            + "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>";
        var preflight = rig.Call("OPTIONS", "/bucket/any").With("Origin", "https://www.example").With(
            "Access-Control-Request-Method", "PUT");
        (await rig.SendAsync(preflight)).MustFail(403, "AccessDenied");
        (await rig.RunAsync(rig.Call("PUT", "/bucket").Ask("cors").Send(rules))).Must(200);
        var answer = (await rig.SendAsync(preflight.With("Access-Control-Request-Headers", "X-Amz-Date, x-amz-acl"))).Must(200);
        Assert.Equal(("https://www.example", "PUT, GET", "60", "ETag"),
        (answer.Header("Access-Control-Allow-Origin"), answer.Header("Access-Control-Allow-Methods"), answer.Header(
                "Access-Control-Max-Age"),
            answer.Header("Access-Control-Expose-Headers")));
        (await rig.SendAsync(preflight.With("Origin", "https://www.example.org"))).MustFail(403, "AccessDenied");
        (await rig.SendAsync(preflight.With("Access-Control-Request-Method", "DELETE"))).MustFail(403, "AccessDenied");
        (await rig.SendAsync(preflight.With("Access-Control-Request-Headers", "x-other"))).MustFail(403, "AccessDenied");
        Assert.Equal("https://www.example", (await rig.RunAsync(rig.Call("GET", "/bucket/closed").With("Origin",
            "https://www.example"))).Header("Access-Control-Allow-Origin"));
        // Also of what has failed, or pages would not learn why.
        Assert.Equal("https://www.example", (await rig.RunAsync(rig.Call("GET", "/bucket/none").With("Origin", "https://www.example")))
            .Must(404).Header("Access-Control-Allow-Origin"));
        Assert.Null(
            (await rig.RunAsync(rig.Call("GET", "/bucket/closed").With("Origin", "https://evil"))).Header("Access-Control-Allow-Origin"));
        Assert.Equal(["PUT", "GET"], (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("cors"))).All("AllowedMethod"));
        (await rig.RunAsync(rig.Call("DELETE", "/bucket").Ask("cors"))).Must(204);
        (await rig.RunAsync(rig.Call("GET", "/bucket").Ask("cors"))).MustFail(404, "NoSuchCORSConfiguration");
    }
}
