using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>What failures of the file store are to a client.</summary>
static class FileProblems
{
    /// <summary>What it is; null for one that is none of the file store.</summary>
    public static ProblemKind? KindOf(Exception error) => error switch
    {
        InvalidPathException => ProblemKind.InvalidPath,
        InvalidPropertiesException => ProblemKind.InvalidRequest,
        InvalidPartException => ProblemKind.InvalidRequest,
        PathNotFoundException => ProblemKind.FileNotFound,
        PathExistsException => ProblemKind.Exists,
        NotADirectoryException or NotAFileException => ProblemKind.WrongKind,
        DirectoryNotEmptyException or CustomerNotEmptyException => ProblemKind.NotEmpty,
        TagMismatchException or EntryChangedException => ProblemKind.Changed,
        ContentLengthException => ProblemKind.ContentDiffers,
        QuotaExceededException => ProblemKind.QuotaExceeded,
        CustomerNotFoundException => ProblemKind.CustomerNotFound,
        UserNotFoundException => ProblemKind.UserNotFound,
        CustomerExistsException or UserExistsException or KeyExistsException or UploadIdInUseException => ProblemKind.Exists,
        TooManyKeysException => ProblemKind.InUse,
        IntentLostException => ProblemKind.UploadNotFound,
        NotEnoughNodesException { FailureClass: FailureClass.NoSpace } => ProblemKind.NoSpace,
        NotEnoughNodesException or TooFewCopiesException => ProblemKind.Unavailable,
        BlockUnreadableException { FailureClass: FailureClass.Damaged } => ProblemKind.Corrupt,
        BlockUnreadableException => ProblemKind.Unavailable,
        UnknownOutcomeException => ProblemKind.UnknownOutcome,
        NodeDirectoryException => ProblemKind.UnusableNode,
        _ => null,
    };
}
