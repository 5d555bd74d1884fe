namespace Ashlar.S3;

/// <summary>An error as S3 tells it.</summary>
/// <param name="Code">The word that clients look at.</param>
/// <param name="Status">The status of the answer.</param>
/// <param name="Message">What people read, unless there is more to say.</param>
sealed record S3Error(string Code, int Status, string Message)
{
    public static S3Error AccessDenied { get; } = new("AccessDenied", 403, "Access is denied.");

    public static S3Error AccessControlListNotSupported { get; } =
        new("AccessControlListNotSupported", 400, "Access control lists are not supported; a bucket policy can make objects public.");

    public static S3Error AuthorizationHeaderMalformed { get; } =
        new("AuthorizationHeaderMalformed", 400, "The Authorization header cannot be read.");

    public static S3Error AuthorizationQueryParametersError { get; } =
        new("AuthorizationQueryParametersError", 400, "The parameters of a presigned request cannot be read.");

    public static S3Error BadDigest { get; } = new("BadDigest", 400, "The content is not what its checksum says.");

    public static S3Error BucketAlreadyOwnedByYou { get; } = new("BucketAlreadyOwnedByYou", 409, "You have this bucket already.");

    public static S3Error BucketAlreadyExists { get; } =
        new("BucketAlreadyExists", 409, "A bucket of this name is public already; of two, nobody could tell which is meant.");

    public static S3Error BucketNotEmpty { get; } = new("BucketNotEmpty", 409, "The bucket is not empty.");

    public static S3Error EntityTooLarge { get; } = new("EntityTooLarge", 400, "The content is too long.");

    public static S3Error EntityTooSmall { get; } = new("EntityTooSmall", 400, "A part that is not the last is too short.");

    public static S3Error IncompleteBody { get; } = new("IncompleteBody", 400, "The body is shorter than it was said to be.");

    public static S3Error InternalError { get; } = new("InternalError", 500, "Something failed here; it was logged. Try again.");

    public static S3Error InvalidArgument { get; } = new("InvalidArgument", 400, "An argument is not valid.");

    public static S3Error InvalidBucketName { get; } = new("InvalidBucketName", 400, "The name is none that a bucket can have.");

    public static S3Error InvalidDigest { get; } = new("InvalidDigest", 400, "The Content-MD5 is none.");

    public static S3Error InvalidPart { get; } =
        new("InvalidPart", 400, "A part is not there, or is not the one that was named.");

    public static S3Error InvalidPartOrder { get; } = new("InvalidPartOrder", 400, "The parts are not in ascending order.");

    public static S3Error InvalidRange { get; } = new("InvalidRange", 416, "The range begins behind the end of the object.");

    public static S3Error InvalidRequest { get; } = new("InvalidRequest", 400, "The request is not valid.");

    public static S3Error InvalidStorageClass { get; } = new("InvalidStorageClass", 400, "There is only the storage class STANDARD.");

    public static S3Error InvalidTag { get; } = new("InvalidTag", 400, "A tag is not valid.");

    public static S3Error InvalidToken { get; } = new("InvalidToken", 400, "There are no session tokens here.");

    public static S3Error InvalidUri { get; } = new("InvalidURI", 400, "The target of the request cannot be read.");

    public static S3Error KeyTooLong { get; } = new("KeyTooLongError", 400, "The key is too long.");

    public static S3Error MalformedPostRequest { get; } = new("MalformedPOSTRequest", 400, "The form cannot be read.");

    public static S3Error MalformedPolicy { get; } = new("MalformedPolicy", 400, "The policy cannot be read.");

    public static S3Error MalformedTrailer { get; } = new("MalformedTrailerError", 400, "The trailer is not what was announced.");

    public static S3Error MalformedXml { get; } = new("MalformedXML", 400, "The XML is not what is expected here.");

    public static S3Error MetadataTooLarge { get; } = new("MetadataTooLarge", 400, "The metadata exceed 2 KiB.");

    public static S3Error MethodNotAllowed { get; } = new("MethodNotAllowed", 405, "The method is not for this.");

    public static S3Error MissingContentLength { get; } = new("MissingContentLength", 411, "The length of the content is needed.");

    public static S3Error MissingRequestBody { get; } = new("MissingRequestBodyError", 400, "The body is missing.");

    public static S3Error NoSuchBucket { get; } = new("NoSuchBucket", 404, "There is no such bucket.");

    public static S3Error NoSuchBucketPolicy { get; } = new("NoSuchBucketPolicy", 404, "The bucket has no policy.");

    public static S3Error NoSuchCors { get; } = new("NoSuchCORSConfiguration", 404, "The bucket has no CORS configuration.");

    public static S3Error NoSuchKey { get; } = new("NoSuchKey", 404, "There is no such object.");

    public static S3Error NoSuchTagSet { get; } = new("NoSuchTagSet", 404, "The bucket has no tags.");

    public static S3Error NoSuchUpload { get; } =
        new("NoSuchUpload", 404, "There is no such upload; it may have been completed or aborted.");

    public static S3Error NoSuchVersion { get; } = new("NoSuchVersion", 404, "There is no such version: objects have one, null.");

    public static S3Error NotImplemented { get; } = new("NotImplemented", 501, "This is not supported here.");

    public static S3Error NotModified { get; } = new("NotModified", 304, "");

    public static S3Error PreconditionFailed { get; } = new("PreconditionFailed", 412, "A condition of the request does not hold.");

    public static S3Error QuotaExceeded { get; } = new("QuotaExceeded", 403, "The quota has no room.");

    public static S3Error RequestTimeTooSkewed { get; } =
        new("RequestTimeTooSkewed", 403, "The time of the request differs too much from the time here.");

    public static S3Error ServiceUnavailable { get; } = new("ServiceUnavailable", 503, "This cannot be done now. Try again.");

    // The same, whether the key is unknown or the secret is wrong: nobody learns which keys there are.
    public static S3Error SignatureDoesNotMatch { get; } =
        new("SignatureDoesNotMatch", 403, "The key is not known, or the signature is not that of its secret.");

    public static S3Error ContentSha256Mismatch { get; } =
        new("XAmzContentSHA256Mismatch", 400, "The content is not what x-amz-content-sha256 says.");

    public static S3Error NoSuch(string code, string what) => new(code, 404, $"The bucket has no {what}.");

    public S3Exception Because(string message) => new(this, message);

    public S3Exception Exception() => new(this, Message);
}
