using Ashlar.Api;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>A kind of problem: its stable name, its HTTP status, and its title.</summary>
sealed record ProblemKind(string Type, int Status, string Title)
{
    public static readonly ProblemKind InvalidRequest = new(ProblemTypes.InvalidRequest, 400, "The request is not valid");
    public static readonly ProblemKind InvalidName = new(ProblemTypes.InvalidName, 400, "The name is not valid");
    public static readonly ProblemKind InvalidSize = new(ProblemTypes.InvalidSize, 400, "The size is not valid");
    public static readonly ProblemKind ForeignOrigin = new(ProblemTypes.ForeignOrigin, 403, "The request came from a foreign place");
    public static readonly ProblemKind NoSuchRoute = new(ProblemTypes.NoSuchRoute, 404, "There is no such route");
    public static readonly ProblemKind PoolNotFound = new(ProblemTypes.PoolNotFound, 404, "There is no such pool");
    public static readonly ProblemKind PoolUnavailable = new(ProblemTypes.PoolUnavailable, 409, "The pool is not available");
    public static readonly ProblemKind NotEmpty = new(ProblemTypes.NotEmpty, 409, "It is not empty");
    public static readonly ProblemKind UnusableDevice = new(ProblemTypes.UnusableDevice, 409, "The device cannot be used");
    public static readonly ProblemKind VolumeNotFound = new(ProblemTypes.VolumeNotFound, 404, "There is no such volume");
    public static readonly ProblemKind NotInTrash = new(ProblemTypes.NotInTrash, 404, "It is not in the trash");
    public static readonly ProblemKind TaskNotFound = new(ProblemTypes.TaskNotFound, 404, "There is no such task");
    public static readonly ProblemKind ExportNotFound = new(ProblemTypes.ExportNotFound, 404, "There is no such export");
    public static readonly ProblemKind PortalNotFound = new(ProblemTypes.PortalNotFound, 404, "There is no such portal");
    public static readonly ProblemKind SnapshotNotFound = new(ProblemTypes.SnapshotNotFound, 404, "There is no such snapshot");
    public static readonly ProblemKind HasSnapshots = new(ProblemTypes.HasSnapshots, 409, "It has snapshots");
    public static readonly ProblemKind Needed = new(ProblemTypes.Needed, 409, "Something else needs it");
    public static readonly ProblemKind NotSupported = new(ProblemTypes.NotSupported, 409, "It cannot have that");
    public static readonly ProblemKind InvalidStream = new(ProblemTypes.InvalidStream, 400, "The stream is not valid");
    public static readonly ProblemKind AlreadyImported = new(ProblemTypes.AlreadyImported, 409, "The snapshot is there already");
    public static readonly ProblemKind WrongParent = new(ProblemTypes.WrongParent, 409, "The stream begins elsewhere");
    public static readonly ProblemKind Diverged = new(ProblemTypes.Diverged, 409, "The volume was written since");
    public static readonly ProblemKind Exists = new(ProblemTypes.Exists, 409, "It exists already");
    public static readonly ProblemKind InUse = new(ProblemTypes.InUse, 409, "It is in use");
    public static readonly ProblemKind WouldShrink = new(ProblemTypes.WouldShrink, 409, "The volume would shrink");
    public static readonly ProblemKind CannotShrink = new(ProblemTypes.CannotShrink, 409, "It cannot become smaller");
    public static readonly ProblemKind Changed = new(ProblemTypes.Changed, 412, "It is not as the condition says");
    public static readonly ProblemKind Failed = new(ProblemTypes.Failed, 500, "The server failed");
    public static readonly ProblemKind Corrupt = new(ProblemTypes.Corrupt, 500, "Stored data is damaged");
    public static readonly ProblemKind Unauthenticated = new(ProblemTypes.Unauthenticated, 401, "A key is needed");
    public static readonly ProblemKind Forbidden = new(ProblemTypes.Forbidden, 403, "The key does not allow that");
    public static readonly ProblemKind CustomerNotFound = new(ProblemTypes.CustomerNotFound, 404, "There is no such customer");
    public static readonly ProblemKind UserNotFound = new(ProblemTypes.UserNotFound, 404, "There is no such user");
    public static readonly ProblemKind KeyNotFound = new(ProblemTypes.KeyNotFound, 404, "There is no such key");
    public static readonly ProblemKind NodeNotFound = new(ProblemTypes.NodeNotFound, 404, "There is no such storage node");
    public static readonly ProblemKind FileNotFound = new(ProblemTypes.FileNotFound, 404, "There is no such file or directory");
    public static readonly ProblemKind UploadNotFound = new(ProblemTypes.UploadNotFound, 404, "There is no such upload");
    public static readonly ProblemKind InvalidPath = new(ProblemTypes.InvalidPath, 400, "The path is not valid");
    public static readonly ProblemKind WrongKind = new(ProblemTypes.WrongKind, 409, "It is not of that kind");
    public static readonly ProblemKind ContentDiffers = new(ProblemTypes.ContentDiffers, 400, "The content is not what was announced");
    public static readonly ProblemKind QuotaExceeded = new(ProblemTypes.QuotaExceeded, 507, "The quota has no room");
    public static readonly ProblemKind UnusableNode = new(ProblemTypes.UnusableNode, 409, "The storage node cannot be used so");
    public static readonly ProblemKind UnknownOutcome = new(ProblemTypes.UnknownOutcome, 500, "Whether it was done is not known");
    public static readonly ProblemKind Unavailable = new(ProblemTypes.Unavailable, 503, "The server is not available");
    public static readonly ProblemKind NoSpace = new(ProblemTypes.NoSpace, 507, "There is no space left");

    /// <summary>The same kind under another HTTP status: 405 and 413 are requests that are not valid, too.</summary>
    public ProblemKind WithStatus(int status) => this with { Status = status };
}

/// <summary>A request fails by its own fault, or meets a state in which it cannot be done.</summary>
sealed class ApiException(ProblemKind kind, string detail) : AshlarException(detail)
{
    public ProblemKind Kind { get; } = kind;

    /// <summary>What may help, or null.</summary>
    public string? Hint { get; init; }
}
