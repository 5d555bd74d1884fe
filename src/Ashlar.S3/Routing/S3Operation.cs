namespace Ashlar.S3;

/// <summary>What can be asked for, by the names that S3 has for it.</summary>
enum S3Operation
{
    /// <summary>What is not supported: refused when it is known who asks.</summary>
    NotImplemented = 0,
    ListBuckets,
    CreateBucket,
    DeleteBucket,
    HeadBucket,
    GetBucketLocation,
    GetBucketVersioning,
    GetBucketAcl,
    GetBucketPolicy,
    PutBucketPolicy,
    DeleteBucketPolicy,
    GetBucketPolicyStatus,
    GetBucketCors,
    PutBucketCors,
    DeleteBucketCors,
    GetBucketTagging,
    PutBucketTagging,
    DeleteBucketTagging,

    /// <summary>Whatever a bucket can be configured with in S3, and none here is.</summary>
    GetBucketConfiguration,
    ListObjects,
    ListObjectsV2,
    ListObjectVersions,
    ListMultipartUploads,
    DeleteObjects,
    PostObject,
    GetObject,
    HeadObject,
    PutObject,
    DeleteObject,
    CopyObject,
    GetObjectAttributes,
    GetObjectAcl,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
    Preflight,
}

/// <summary>What the path of a request names.</summary>
enum RouteLevel
{
    Service = 0,
    Bucket,
    Object,
}
