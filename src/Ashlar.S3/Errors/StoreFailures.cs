using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.S3;

/// <summary>What the store refuses, in the words of S3.</summary>
static class StoreFailures
{
    /// <summary>The error; null for one that nobody has foreseen.</summary>
    public static S3Exception? Translate(Exception failure) => failure switch
    {
        S3Exception known => known,
        InvalidPropertiesException => S3Error.MetadataTooLarge.Because(failure.Message),
        InvalidPathException => S3Error.InvalidArgument.Because(failure.Message),
        PathNotFoundException { Path: var path } => (path.Parent.IsRoot ? S3Error.NoSuchBucket : S3Error.NoSuchKey).Exception(),
        PathExistsException or TagMismatchException or EntryChangedException => S3Error.PreconditionFailed.Exception(),
        NotADirectoryException => S3Error.InvalidRequest.Because($"{failure.Message}: there is an object of this name."),
        NotAFileException => S3Error.InvalidRequest.Because($"{failure.Message}: there are objects behind this name and a slash."),
        DirectoryNotEmptyException => S3Error.BucketNotEmpty.Exception(),
        InvalidPartException => S3Error.InvalidPart.Because(failure.Message),
        QuotaExceededException => S3Error.QuotaExceeded.Because(failure.Message),
        ContentLengthException => S3Error.IncompleteBody.Exception(),
        CustomerNotFoundException => S3Error.AccessDenied.Exception(),
        _ when IsPassing(failure) => new(S3Error.ServiceUnavailable, S3Error.ServiceUnavailable.Message, failure),
        AshlarException => new(S3Error.InternalError, S3Error.InternalError.Message, failure),
        _ => null,
    };

    // What may be otherwise when the client asks again, which clients do for this answer. An intent is lost by an upload of one request
    // when its lease could not be renewed; those in parts have their own answer.
    static bool IsPassing(Exception failure) => failure is NotEnoughNodesException or BlockUnreadableException or TooFewCopiesException
        or IntentLostException or UnknownOutcomeException or StorageNodeException
    {
        Kind: NodeErrorKind.Unavailable or NodeErrorKind.Suspect or NodeErrorKind.Full or NodeErrorKind.Busy,
    }
        or StorageException { Kind: StorageErrorKind.NoSpace } or IClassifiedFailure { FailureClass: FailureClass.NoSpace };
}
