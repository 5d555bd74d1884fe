using System.Text;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Operations on buckets themselves.</summary>
sealed class BucketOperations(S3Services services)
{
    const int MaxBuckets = 10_000, MaxCreateXmlBytes = 16 << 10;

    public async Task ListAsync(S3Request request)
    {
        var limit = Numbers.Parse(request.Query("max-buckets"), "max-buckets", 1, MaxBuckets) ?? MaxBuckets;
        var prefix = request.Query("prefix") ?? "";
        var after = request.Query("continuation-token") is { } token ? ListToken.Parse(token).Name : "";
        var buckets = new List<NamespaceEntry>();
        var isTruncated = false;
        await foreach (var bucket in BucketList.AllAsync(services.Metadata, request.Customer, request.Cancelled))
        {
            var name = bucket.Path.Name;
            if (!name.StartsWith(prefix, StringComparison.Ordinal) || string.CompareOrdinal(name, after) <= 0) continue;
            isTruncated = buckets.Count == limit;
            if (isTruncated) break;
            buckets.Add(bucket);
        }

        using var answer = new XmlAnswer("ListAllMyBucketsResult");
        answer.Owner(request.Caller.OwnerId).Element("Buckets", all =>
        {
            foreach (var bucket in buckets)
            {
                all.Element("Bucket", one => one
                    .Text("Name", bucket.Path.Name)
                    .Time("CreationDate", bucket.CreatedAt)
                    .Text("BucketRegion", services.Options.Region));
            }
        });
        if (isTruncated) answer.Text("ContinuationToken", new ListToken(buckets[^1].Path.Name, false).ToString());
        if (prefix.Length > 0) answer.Text("Prefix", prefix);
        await answer.SendAsync(request.Http);
    }

    public async Task CreateAsync(S3Request request)
    {
        if (!BucketName.IsValid(request.Bucket!))
            throw S3Error.InvalidBucketName.Because($"'{request.Bucket}' is no name that a bucket can have.");
        ObjectProperties.RefuseUnsupported(request.Headers);
        await ReadLocationAsync(request);
        try
        {
            await services.Files.CreateDirectoryAsync(request.Customer, request.BucketPath, null, request.Cancelled);
        }
        catch (PathExistsException)
        {
            throw S3Error.BucketAlreadyOwnedByYou.Exception();
        }

        request.Response.Headers.Location = $"/{request.Bucket}";
    }

    public async Task DeleteAsync(S3Request request)
    {
        await services.Metadata.DeleteDirectoryAsync(request.Customer, request.BucketPath, request.Cancelled);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public Task HeadAsync(S3Request request)
    {
        request.Response.Headers["x-amz-bucket-region"] = services.Options.Region;
        return Task.CompletedTask;
    }

    public async Task GetLocationAsync(S3Request request)
    {
        // What was there first has no name.
        using var answer = new XmlAnswer("LocationConstraint");
        if (services.Options.Region != "us-east-1") answer.Raw(services.Options.Region);
        await answer.SendAsync(request.Http);
    }

    public static async Task GetVersioningAsync(S3Request request)
    {
        using var answer = new XmlAnswer("VersioningConfiguration");
        await answer.SendAsync(request.Http);
    }

    public static async Task GetAclAsync(S3Request request)
    {
        using var answer = new XmlAnswer("AccessControlPolicy");
        answer.Owner(request.Caller.OwnerId).Element("AccessControlList", list => list.Element("Grant", grant => grant
            .Typed("Grantee", "CanonicalUser", grantee => grantee.Text(
                "ID", request.Caller.OwnerId).Text("DisplayName", request.Caller.OwnerId))
            .Text("Permission", "FULL_CONTROL")));
        await answer.SendAsync(request.Http);
    }

    public static async Task GetPolicyAsync(S3Request request)
    {
        var policy = Property(request, BucketPolicy.Property) ?? throw S3Error.NoSuchBucketPolicy.Exception();
        request.Response.ContentType = "application/json";
        await request.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(policy), request.Cancelled);
    }

    public async Task PutPolicyAsync(S3Request request)
    {
        var json = await RequestBody.ReadAsync(request, BucketPolicy.MaxBytes);
        BucketPolicy.Parse(request.Bucket!, json);
        // Of two public buckets of one name nobody could say which is meant by those who show no key.
        var policy = Encoding.UTF8.GetString(json);
        await services.OpenBuckets.HoldAsync(
            request.Bucket!, request.Customer, note => SetAsync(request, BucketPolicy.Property, policy, note), request.Cancelled);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public Task DeletePolicyAsync(S3Request request) => RemoveAsync(request, BucketPolicy.Property);

    public static async Task GetPolicyStatusAsync(S3Request request)
    {
        _ = Property(request, BucketPolicy.Property) ?? throw S3Error.NoSuchBucketPolicy.Exception();
        using var answer = new XmlAnswer("PolicyStatus");
        // There is no other policy.
        await answer.Text("IsPublic", true).SendAsync(request.Http);
    }

    public static async Task GetCorsAsync(S3Request request)
    {
        var rules = Property(request, CorsRules.Property) ?? throw S3Error.NoSuchCors.Exception();
        using var answer = new XmlAnswer("CORSConfiguration");
        await answer.Raw(rules).SendAsync(request.Http);
    }

    public async Task PutCorsAsync(S3Request request)
    {
        var rules = CorsRules.Parse(await XmlBody.ReadAsync(request, "CORSConfiguration", CorsRules.MaxXmlBytes));
        await services.OpenBuckets.MarkAsync(
            request.Bucket!, request.Customer, note => SetAsync(request, CorsRules.Property, rules.Xml, note), request.Cancelled);
    }

    public Task DeleteCorsAsync(S3Request request) => RemoveAsync(request, CorsRules.Property);

    public static async Task GetTaggingAsync(S3Request request)
    {
        var tags = Property(request, Tagging.Property) ?? throw S3Error.NoSuchTagSet.Exception();
        using var answer = new XmlAnswer("Tagging");
        Tagging.Write(answer, tags);
        await answer.SendAsync(request.Http);
    }

    public async Task PutTaggingAsync(S3Request request)
    {
        var tags = Tagging.ParseXml(await XmlBody.ReadAsync(request, "Tagging", Tagging.MaxXmlBytes), Tagging.MaxOfBucket);
        await SetAsync(request, Tagging.Property, tags);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public Task DeleteTaggingAsync(S3Request request) => RemoveAsync(request, Tagging.Property);

    /// <summary>Answers for what cannot be configured here as S3 answers for what has not been.</summary>
    public static async Task GetConfigurationAsync(S3Request request)
    {
        (string Root, Func<XmlAnswer, XmlAnswer> Write) known = request.Route.Keys[0] switch
        {
            "lifecycle" => throw None("NoSuchLifecycleConfiguration", "lifecycle configuration"),
            "encryption" => throw None("ServerSideEncryptionConfigurationNotFoundError", "encryption configuration"),
            "website" => throw None("NoSuchWebsiteConfiguration", "website configuration"),
            "replication" => throw None("ReplicationConfigurationNotFoundError", "replication configuration"),
            "object-lock" => throw None("ObjectLockConfigurationNotFoundError", "object lock configuration"),
            "publicAccessBlock" => throw None("NoSuchPublicAccessBlockConfiguration", "public access block configuration"),
            "ownershipControls" => throw None("OwnershipControlsNotFoundError", "ownership controls"),
            "requestPayment" => ("RequestPaymentConfiguration", static (XmlAnswer answer) => answer.Text("Payer", "BucketOwner")),
            "logging" => ("BucketLoggingStatus", Nothing),
            "notification" => ("NotificationConfiguration", Nothing),
            "accelerate" => ("AccelerateConfiguration", Nothing),
            "analytics" => ("ListBucketAnalyticsConfigurationResult", NoList),
            "inventory" => ("ListInventoryConfigurationsResult", NoList),
            "intelligent-tiering" => ("ListBucketIntelligentTieringConfigurationsOutput", NoList),
            "metrics" => ("ListMetricsConfigurationsResult", NoList),
            _ => throw S3Error.NotImplemented.Exception(),
        };
        using var answer = new XmlAnswer(known.Root);
        await known.Write(answer).SendAsync(request.Http);

        static S3Exception None(string code, string what) => S3Error.NoSuch(code, what).Exception();
        static XmlAnswer Nothing(XmlAnswer answer) => answer;
        static XmlAnswer NoList(XmlAnswer answer) => answer.Text("IsTruncated", false);
    }

    static string? Property(S3Request request, string name) => request.BucketProperties.GetValueOrDefault(name);

    Task<NamespaceEntry> SetAsync(S3Request request, string name, string? value, NoteChange? note = null)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal) { [name] = value };
        return services.Files.SetPropertiesAsync(
            request.Customer, request.BucketPath, new(false, values, false) { Note = note }, null, request.Cancelled);
    }

    async Task RemoveAsync(S3Request request, string name)
    {
        if (Property(request, name) is not null) await SetAsync(request, name, null);
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    // A body says where a bucket is to be, and older clients send what S3 has no more.
    async Task ReadLocationAsync(S3Request request)
    {
        if (request.Http.Request.ContentLength is null or 0 && !request.Http.Request.Headers.ContainsKey("Transfer-Encoding")) return;
        var content = await RequestBody.ReadAsync(request, MaxCreateXmlBytes);
        if (content.Length == 0) return;
        var configuration = XmlBody.Parse(content, "CreateBucketConfiguration");
        var location = configuration.Text("LocationConstraint") ?? "";
        if (location.Length > 0 && location != services.Options.Region)
            throw new S3Exception(new("InvalidLocationConstraint", 400, ""), $"The region here is {services.Options.Region}.");
    }
}
