namespace Ashlar.Api;

/// <summary>Names of problems. They are stable: programs decide by them.</summary>
public static class ProblemTypes
{
    /// <summary>What every name begins with.</summary>
    public const string Prefix = "urn:ashlar:problem:";

    /// <summary>The request is not what the route takes.</summary>
    public const string InvalidRequest = Prefix + "invalid-request";

    /// <summary>A command line is not what the program takes.</summary>
    public const string Usage = Prefix + "usage";

    /// <summary>A volume or pool name is not valid.</summary>
    public const string InvalidName = Prefix + "invalid-name";

    /// <summary>A size is not valid for this volume.</summary>
    public const string InvalidSize = Prefix + "invalid-size";

    /// <summary>There is no such route.</summary>
    public const string NoSuchRoute = Prefix + "no-such-route";

    /// <summary>There is no such pool.</summary>
    public const string PoolNotFound = Prefix + "pool-not-found";

    /// <summary>The pool cannot be opened, or was exported.</summary>
    public const string PoolUnavailable = Prefix + "pool-unavailable";

    /// <summary>There are things in it that would be lost.</summary>
    public const string NotEmpty = Prefix + "not-empty";

    /// <summary>A device cannot become, or is not, one of the pool: missing, in use, holding something else.</summary>
    public const string UnusableDevice = Prefix + "unusable-device";

    /// <summary>There is no such volume.</summary>
    public const string VolumeNotFound = Prefix + "volume-not-found";

    /// <summary>There is no such volume in the trash.</summary>
    public const string NotInTrash = Prefix + "not-in-trash";

    /// <summary>There is no such task.</summary>
    public const string TaskNotFound = Prefix + "task-not-found";

    /// <summary>There is no such export.</summary>
    public const string ExportNotFound = Prefix + "export-not-found";

    /// <summary>There is no such portal.</summary>
    public const string PortalNotFound = Prefix + "portal-not-found";

    /// <summary>There is no such snapshot.</summary>
    public const string SnapshotNotFound = Prefix + "snapshot-not-found";

    /// <summary>A volume has snapshots, and they were not to go with it.</summary>
    public const string HasSnapshots = Prefix + "has-snapshots";

    /// <summary>Clones need it, or something else is done to it just now.</summary>
    public const string Needed = Prefix + "needed";

    /// <summary>A thick volume has no snapshots.</summary>
    public const string NotSupported = Prefix + "not-supported";

    /// <summary>A stream of a snapshot was cut off, or altered, or is none, or of a version or size that is not taken.</summary>
    public const string InvalidStream = Prefix + "invalid-stream";

    /// <summary>The volume has the snapshot that a stream ends at.</summary>
    public const string AlreadyImported = Prefix + "already-imported";

    /// <summary>A stream begins at a snapshot that is not the newest one of the volume.</summary>
    public const string WrongParent = Prefix + "wrong-parent";

    /// <summary>A volume was written since the snapshot at which a stream begins.</summary>
    public const string Diverged = Prefix + "diverged";

    /// <summary>There is something of that name already.</summary>
    public const string Exists = Prefix + "exists";

    /// <summary>Clients are connected.</summary>
    public const string InUse = Prefix + "in-use";

    /// <summary>The new size is smaller and shrinking was not allowed.</summary>
    public const string WouldShrink = Prefix + "would-shrink";

    /// <summary>The condition of a request (If-Match) does not hold: somebody has changed it.</summary>
    public const string Changed = Prefix + "changed";

    /// <summary>The new size is smaller, and this cannot shrink.</summary>
    public const string CannotShrink = Prefix + "cannot-shrink";

    /// <summary>There is no space left.</summary>
    public const string NoSpace = Prefix + "no-space";

    /// <summary>Stored bytes are not what was written.</summary>
    public const string Corrupt = Prefix + "corrupt";

    /// <summary>The program may not do that.</summary>
    public const string PermissionDenied = Prefix + "permission-denied";

    /// <summary>The request came from where no request is taken from: a foreign host name or web page.</summary>
    public const string ForeignOrigin = Prefix + "foreign-origin";

    /// <summary>A request for files has no key, or one that is wrong, unknown or expired.</summary>
    public const string Unauthenticated = Prefix + "unauthenticated";

    /// <summary>The key is another customer's, or its user may not do that.</summary>
    public const string Forbidden = Prefix + "forbidden";

    /// <summary>There is no such customer.</summary>
    public const string CustomerNotFound = Prefix + "customer-not-found";

    /// <summary>There is no such user.</summary>
    public const string UserNotFound = Prefix + "user-not-found";

    /// <summary>There is no such key.</summary>
    public const string KeyNotFound = Prefix + "key-not-found";

    /// <summary>There is no such storage node.</summary>
    public const string NodeNotFound = Prefix + "node-not-found";

    /// <summary>There is no such file or directory.</summary>
    public const string FileNotFound = Prefix + "file-not-found";

    /// <summary>There is no such upload, or it has ended.</summary>
    public const string UploadNotFound = Prefix + "upload-not-found";

    /// <summary>It is no path that a file can have.</summary>
    public const string InvalidPath = Prefix + "invalid-path";

    /// <summary>It is a directory where a file is needed, or the other way round.</summary>
    public const string WrongKind = Prefix + "wrong-kind";

    /// <summary>The content is not what was announced: its length, or its digest.</summary>
    public const string ContentDiffers = Prefix + "content-differs";

    /// <summary>The quota of the customer has no room.</summary>
    public const string QuotaExceeded = Prefix + "quota-exceeded";

    /// <summary>A storage node cannot be made of that directory, or not emptied.</summary>
    public const string UnusableNode = Prefix + "unusable-node";

    /// <summary>The change may have been made, or not: its answer was lost. Ask again with the same number.</summary>
    public const string UnknownOutcome = Prefix + "unknown-outcome";

    /// <summary>The server is stopping, or not reached, or too slow.</summary>
    public const string Unavailable = Prefix + "unavailable";

    /// <summary>Anything else.</summary>
    public const string Failed = Prefix + "failed";
}
