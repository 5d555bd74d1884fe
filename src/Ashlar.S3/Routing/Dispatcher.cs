using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>From the route to what does it, for callers who have proved that they may.</summary>
sealed class Dispatcher(S3Services services, Verifier verifier)
{
    readonly BucketOperations buckets = new(services);
    readonly ListOperations lists = new(services);
    readonly ReadOperations reads = new(services);
    readonly WriteOperations writes = new(services);
    readonly CopyOperations copies = new(services);
    readonly DeleteOperations deletes = new(services);
    readonly MultipartOperations parts = new(services);
    readonly MultipartCompletion completion = new(services);
    readonly UploadLister uploads = new(services);
    readonly FormOperations forms = new(services, verifier);
    readonly CorsAnswers cors = new(services);

    /// <summary>Answers a request, or throws why not.</summary>
    public async Task RunAsync(S3Request request)
    {
        if (HttpMethods.IsOptions(request.Http.Request.Method))
        {
            await cors.PreflightAsync(request);
            return;
        }

        var level = request.Bucket is null ? RouteLevel.Service : request.Key.Length == 0 ? RouteLevel.Bucket : RouteLevel.Object;
        request.Route = RouteTable.Find(request.Http.Request.Method, level, request.Target, name => request.Header(name) is not null);
        if (request.Route.IsForm)
        {
            // Who asks stands in the form.
            await forms.PostAsync(request);
            return;
        }

        await AuthorizeAsync(request);
        CorsAnswers.Add(request, request.BucketProperties);
        await ExecuteAsync(request);
    }

    /// <summary>Finds the bucket of a request among those of the caller.</summary>
    /// <exception cref="S3Exception">It is not there.</exception>
    public static async Task LoadBucketAsync(S3Services services, S3Request request)
    {
        if (!BucketName.IsValid(request.Bucket!)) throw S3Error.NoSuchBucket.Exception();
        if (request.Header("x-amz-expected-bucket-owner") is { } owner && owner != request.Caller.OwnerId)
            throw S3Error.AccessDenied.Exception();
        var bucket = await services.Metadata.DescribeAsync(request.Customer, request.BucketPath, request.Cancelled);
        if (bucket?.Entry.Kind != NamespaceEntryKind.Directory) throw S3Error.NoSuchBucket.Exception();
        request.BucketProperties = bucket.Properties;
    }

    async Task AuthorizeAsync(S3Request request)
    {
        if (!Verifier.ShowsProof(request.Http.Request.Headers, request.Target))
        {
            await AdmitAnybodyAsync(request);
            return;
        }

        var proof = await verifier.VerifyAsync(request.Http.Request, request.Target, request.Cancelled);
        if (!proof.Caller.Rights.HasFlag(request.Route.Right) && request.Route.Operation != S3Operation.NotImplemented)
            throw S3Error.AccessDenied.Exception();
        (request.Caller, request.Payload) = (proof.Caller, proof.Payload);
        request.Confirm = () => verifier.ConfirmAsync(proof.Caller, request.Route.Right, request.Cancelled);
        if (request.Bucket is not null && request.Route.Operation is not (S3Operation.CreateBucket or S3Operation.NotImplemented))
            await LoadBucketAsync(services, request);
    }

    // Whoever shows no key is let through by a policy alone, and told nothing else.
    async Task AdmitAnybodyAsync(S3Request request)
    {
        if (request.Query("AWSAccessKeyId") is not null)
            throw S3Error.AccessDenied.Because($"Signature version 2 is not supported; use {SignatureScope.Algorithm} (version 4).");
        if (!request.Route.CanBePublic || request.Bucket is not { } bucket || !BucketName.IsValid(bucket))
            throw S3Error.AccessDenied.Exception();
        // Longer than any key can be: not worth a look at the policy.
        if (System.Text.Encoding.UTF8.GetByteCount(request.Key) > S3Request.MaxKeyBytes) throw S3Error.AccessDenied.Exception();
        var action = request.Key.Length == 0 ? BucketPolicy.ListBucket : BucketPolicy.GetObject;
        if (await services.OpenBuckets.FindHolderAsync(bucket, request.Cancelled) is { } customer
            && await services.OpenBuckets.DescribeAsync(customer, bucket, request.Cancelled) is { } entry
            && entry.Properties.TryGetValue(BucketPolicy.Property, out var policy)
            && services.Policies.Of(bucket, policy).Allows(action, bucket, request.Key))
        {
            request.Caller = Caller.Anybody(customer);
            request.BucketProperties = entry.Properties;
            return;
        }

        throw S3Error.AccessDenied.Exception();
    }

    Task ExecuteAsync(S3Request request) => request.Route.Operation switch
    {
        S3Operation.ListBuckets => buckets.ListAsync(request),
        S3Operation.CreateBucket => buckets.CreateAsync(request),
        S3Operation.DeleteBucket => buckets.DeleteAsync(request),
        S3Operation.HeadBucket => buckets.HeadAsync(request),
        S3Operation.GetBucketLocation => buckets.GetLocationAsync(request),
        S3Operation.GetBucketVersioning => BucketOperations.GetVersioningAsync(request),
        S3Operation.GetBucketAcl => BucketOperations.GetAclAsync(request),
        S3Operation.GetBucketPolicy => BucketOperations.GetPolicyAsync(request),
        S3Operation.PutBucketPolicy => buckets.PutPolicyAsync(request),
        S3Operation.DeleteBucketPolicy => buckets.DeletePolicyAsync(request),
        S3Operation.GetBucketPolicyStatus => BucketOperations.GetPolicyStatusAsync(request),
        S3Operation.GetBucketCors => BucketOperations.GetCorsAsync(request),
        S3Operation.PutBucketCors => buckets.PutCorsAsync(request),
        S3Operation.DeleteBucketCors => buckets.DeleteCorsAsync(request),
        S3Operation.GetBucketTagging => BucketOperations.GetTaggingAsync(request),
        S3Operation.PutBucketTagging => buckets.PutTaggingAsync(request),
        S3Operation.DeleteBucketTagging => buckets.DeleteTaggingAsync(request),
        S3Operation.GetBucketConfiguration => BucketOperations.GetConfigurationAsync(request),
        S3Operation.ListObjects => lists.ListAsync(request),
        S3Operation.ListObjectsV2 => lists.ListV2Async(request),
        S3Operation.ListObjectVersions => lists.ListVersionsAsync(request),
        S3Operation.ListMultipartUploads => uploads.ListAsync(request),
        S3Operation.DeleteObjects => deletes.DeleteManyAsync(request),
        S3Operation.GetObject => reads.GetAsync(request),
        S3Operation.HeadObject => reads.HeadAsync(request),
        S3Operation.GetObjectAttributes => reads.GetAttributesAsync(request),
        S3Operation.GetObjectAcl => reads.GetAclAsync(request),
        S3Operation.GetObjectTagging => reads.GetTaggingAsync(request),
        S3Operation.PutObjectTagging => writes.PutTaggingAsync(request),
        S3Operation.DeleteObjectTagging => writes.DeleteTaggingAsync(request),
        S3Operation.PutObject => writes.PutAsync(request),
        S3Operation.DeleteObject => deletes.DeleteAsync(request),
        S3Operation.CopyObject => copies.CopyAsync(request),
        S3Operation.CreateMultipartUpload => parts.CreateAsync(request),
        S3Operation.UploadPart => parts.UploadPartAsync(request),
        S3Operation.UploadPartCopy => parts.UploadPartCopyAsync(request),
        S3Operation.CompleteMultipartUpload => completion.CompleteAsync(request),
        S3Operation.AbortMultipartUpload => parts.AbortAsync(request),
        S3Operation.ListParts => parts.ListPartsAsync(request),
        _ => throw S3Error.NotImplemented.Exception(),
    };
}
