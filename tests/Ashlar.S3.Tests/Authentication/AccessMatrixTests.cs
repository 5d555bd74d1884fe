using Ashlar.Files;

namespace Ashlar.S3.Tests.Authentication;

/// <summary>Every route of the table, asked for by everybody who must not: nobody gets anything, and nothing changes.</summary>
public sealed class AccessMatrixTests : IAsyncLifetime
{
    S3Rig rig = null!;
    string uploadId = "";

    public async Task InitializeAsync()
    {
        rig = await S3Rig.CreateAsync();
        (await rig.RunAsync("PUT", "/bucket")).Must(200);
        (await rig.RunAsync("PUT", "/bucket/key", "content")).Must(200);
        (await rig.RunAsync(rig.Call("PUT", "/bucket").Ask("tagging").Send(TaggingXml))).Must(204);
        (await rig.RunAsync(rig.Call("PUT", "/bucket").Ask("cors").Send(CorsXml))).Must(200);
        uploadId = (await rig.RunAsync(rig.Call("POST", "/bucket/key").Ask("uploads"))).Must(200).One("UploadId");
        (await rig.RunAsync(rig.Call("PUT", "/bucket/key").Ask("uploadId", uploadId).Ask("partNumber", "1").Send("part"))).Must(200);
    }

    public Task DisposeAsync() => rig.DisposeAsync().AsTask();

    const string TaggingXml = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    const string CorsXml =
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";

    const string PolicyJson = """
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}
        """;

    [Fact]
    public async Task No_route_is_open_to_anybody_who_must_not_use_it()
    {
        var refused = 0;
        var weak = await rig.CreateUserAsync(rig.Customer, "weak", FileRights.Read | FileRights.Write);
        var expired = await rig.CreateUserAsync(
            rig.Customer, "expired", FileRights.Read | FileRights.Write | FileRights.Administer, rig.Clock.GetUtcNow());
        foreach (var route in RouteTable.Routes.Where(route => !route.IsForm))
        {
            var call = CallOf(route);
            var before = await rig.DescribeAsync();
            var tooLittle = route.Right switch { FileRights.Read => rig.Writer, FileRights.Write => rig.Reader, _ => weak };
            var nobody = rig.Owner.But(keyId: "AAAAAAAAAAAAAAAAAAAA");
            var liar = rig.Owner.But(secret: new string('x', 40));
            var (early, late) = (rig.Owner.But(clock1: () => rig.Clock.GetUtcNow().AddMinutes(-16)), rig.Owner.But(
                clock1: () => rig.Clock.GetUtcNow().AddMinutes(16)));
            (string Who, string Code, S3Call Call)[] attempts =
            [
                ("no credentials", "AccessDenied", call),
                ("wrong key", "SignatureDoesNotMatch", nobody.Sign(call)),
                ("wrong key, presigned", "SignatureDoesNotMatch", nobody.Presign(call)),
                ("wrong secret", "SignatureDoesNotMatch", liar.Sign(call)),
                ("wrong secret, presigned", "SignatureDoesNotMatch", liar.Presign(call)),
                ("signed too long ago", "RequestTimeTooSkewed", early.Sign(call)),
                ("signed too early", "RequestTimeTooSkewed", late.Sign(call)),
                ("expired, presigned", "AccessDenied", early.Presign(call, 60)),
                ("not yet valid, presigned", "AccessDenied", late.Presign(call)),
                ("expired key", "AccessDenied", expired.Sign(call)),
                ("expired key, presigned", "AccessDenied", expired.Presign(call)),
                ("too little right", "AccessDenied", tooLittle.Sign(call)),
                ("too little right, presigned", "AccessDenied", tooLittle.Presign(call)),
                ("altered signature", "SignatureDoesNotMatch", Altered(rig.Owner.Sign(call))),
                ("altered signature, presigned", "SignatureDoesNotMatch", AlteredQuery(rig.Owner.Presign(call))),
            ];
            foreach (var (who, code, attempt) in attempts)
            {
                var response = await rig.SendAsync(attempt);
                Assert.True(response.Status == 403, $"{route}, {who}: {response}");
                Assert.True(route.Method == "HEAD" || response.Code == code, $"{route}, {who}: {response}");
                Assert.DoesNotContain("content", response.Text, StringComparison.Ordinal);
                refused++;
            }

            Assert.Equal(before, await rig.DescribeAsync());
        }

        Assert.True(refused > 700, $"{refused} attempts");
    }

    [Fact]
    public async Task Another_customer_finds_none_of_it()
    {
        foreach (var route in RouteTable.Routes.Where(route => !route.IsForm && route.Operation != S3Operation.CreateBucket))
        {
            var before = await rig.DescribeAsync();
            foreach (var attempt in (S3Call[])[rig.Stranger.Sign(CallOf(route)), rig.Stranger.Presign(CallOf(route))])
            {
                var response = await rig.SendAsync(attempt);
                if (route.Level == RouteLevel.Service) Assert.DoesNotContain(
                    "bucket", string.Join(' ', response.Must(200).All("Name")), StringComparison.Ordinal);
                else Assert.True(
                    response.Status == 404 && (route.Method == "HEAD" || response.Code == "NoSuchBucket"), $"{route}: {response}");
            }

            Assert.Equal(before, await rig.DescribeAsync());
        }
    }

    /// <summary>Or the others would be refused for what is wrong with the request.</summary>
    [Fact]
    public async Task Who_may_is_let_through_on_every_route()
    {
        var done = new HashSet<S3Operation>();
        foreach (var route in RouteTable.Routes.Where(route => !route.IsForm).OrderBy(
            route => route.Method == "DELETE" || route.Keys.Contains("delete")))
        {
            var call = CallOf(route);
            if (route.Operation is S3Operation.CompleteMultipartUpload or S3Operation.AbortMultipartUpload
                or S3Operation.DeleteBucket) continue;
            var response = await rig.SendAsync(rig.Owner.Sign(call));
            Assert.True(response.Status is not (400 or 403 or 405 or 501), $"{route}: {response}");
            done.Add(route.Operation);
        }

        var known = Enum.GetValues<S3Operation>().Except(done).ToArray();
        Assert.Equal(
            [
                S3Operation.NotImplemented, S3Operation.DeleteBucket, S3Operation.PostObject, S3Operation.CompleteMultipartUpload,
                S3Operation.AbortMultipartUpload, S3Operation.Preflight,
            ],
            known);
    }

    [Fact]
    public async Task A_subresource_that_is_not_known_is_refused_and_never_answered_as_something_else()
    {
        foreach (var (method, path, query) in ((string, string, string)[])
            [
                ("GET", "/bucket", "nothing"), ("GET", "/bucket", "torrent"), ("PUT", "/bucket", "acl"), ("PUT", "/bucket", "lifecycle"),
                ("DELETE", "/bucket", "lifecycle"), ("PUT", "/bucket", "versioning"),
                ("GET", "/bucket/key", "torrent"), ("POST", "/bucket/key", "restore"),
                ("POST", "/bucket/key", "select"), ("PUT", "/bucket/key", "retention"),
                ("GET", "/bucket/key", "legal-hold"), ("DELETE", "/bucket/key", "acl"),
                ("GET", "/", "nothing"),
            ])
        {
            var before = await rig.DescribeAsync();
            var call = rig.Call(method, path).Ask(query);
            (await rig.SendAsync(call)).MustFail(403, "AccessDenied");
            (await rig.SendAsync(rig.Owner.Sign(call))).MustFail(501, "NotImplemented");
            Assert.Equal(before, await rig.DescribeAsync());
        }
    }

    [Fact]
    public async Task An_unknown_key_and_a_wrong_secret_are_answered_alike()
    {
        var call = rig.Call("GET", "/bucket/key");
        var unknown = await rig.SendAsync(rig.Owner.But(keyId: "BBBBBBBBBBBBBBBBBBBB").Sign(call));
        var wrong = await rig.SendAsync(rig.Owner.But(secret: "other").Sign(call));
        Assert.Equal(Bare(unknown), Bare(wrong));

        static string Bare(RawResponse response) =>
            $"{response.Status} {response.Xml.Element("Code")!.Value} {response.Xml.Element("Message")!.Value} {response.Body.Length} "
            + string.Join(' ', response.Headers.Select(header => header.Name));
    }

    S3Call CallOf(Route route)
    {
        var call = rig.Call(route.Method, route.Level switch
        {
            RouteLevel.Service => "/",
            RouteLevel.Bucket when route.Operation == S3Operation.CreateBucket => "/bucket-new",
            RouteLevel.Bucket => "/bucket",
            _ => "/bucket/key",
        });
        foreach (var key in route.Keys)
            call = call.Ask(key, key switch { "uploadId" => uploadId, "partNumber" => "1", "list-type" => "2", _ => "" });
        if (route.Header is not null) call = call.With(route.Header, "/bucket/key");
        return route.Operation switch
        {
            S3Operation.PutBucketPolicy => call.Send(PolicyJson),
            S3Operation.PutBucketCors => call.Send(CorsXml),
            S3Operation.PutBucketTagging or S3Operation.PutObjectTagging => call.Send(TaggingXml),
            S3Operation.DeleteObjects => call.Send("<Delete><Object><Key>key</Key></Object></Delete>"),
            S3Operation.CompleteMultipartUpload => call.Send(
                "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"),
            S3Operation.PutObject => call.Send("other"),
            S3Operation.UploadPart => call.Send("other part"),
            S3Operation.CopyObject => call.With("x-amz-metadata-directive", "REPLACE"),
            S3Operation.GetObjectAttributes => call.With("x-amz-object-attributes", "ETag"),
            _ => call,
        };
    }

    static S3Call Altered(S3Call call) => call.With("Authorization", Flip(call.Header("Authorization")!));

    static S3Call AlteredQuery(S3Call call) =>
        call with { Query = [.. call.Query.SkipLast(1), (call.Query[^1].Name, Flip(call.Query[^1].Value))] };

    static string Flip(string signature) => signature[..^1] + (signature[^1] == '0' ? '1' : '0');
}
