namespace Ashlar.Server;

/// <summary>Names of what the log tells. They are stable: programs decide by them.</summary>
static class LogEvents
{
    /// <summary>Everything listens.</summary>
    public const string ServerStarted = "server-started";

    /// <summary>Other machines can connect, and nothing asks them who they are.</summary>
    public const string ServerOpen = "server-open";

    /// <summary>New work is refused from now on.</summary>
    public const string ServerStopping = "server-stopping";

    /// <summary>All is closed.</summary>
    public const string ServerStopped = "server-stopped";

    /// <summary>A part could not be closed in order.</summary>
    public const string ServerCloseFailed = "server-close-failed";

    /// <summary>Something about the server that its operator should know.</summary>
    public const string ServerNotice = "server-notice";

    /// <summary>SIGHUP came; it changes nothing.</summary>
    public const string HangUpIgnored = "hangup-ignored";

    /// <summary>A volume was created.</summary>
    public const string VolumeCreated = "volume-created";

    /// <summary>A volume has another size.</summary>
    public const string VolumeResized = "volume-resized";

    /// <summary>A volume has other limits of rate.</summary>
    public const string VolumeLimited = "volume-limited";

    /// <summary>A volume has another name.</summary>
    public const string VolumeRenamed = "volume-renamed";

    /// <summary>A volume has another description, other labels or another time in the trash.</summary>
    public const string VolumeDescribed = "volume-described";

    /// <summary>A volume is in the trash.</summary>
    public const string VolumeTrashed = "volume-trashed";

    /// <summary>A volume came back from the trash.</summary>
    public const string VolumeRestored = "volume-restored";

    /// <summary>A volume is gone.</summary>
    public const string VolumeDeleted = "volume-deleted";

    /// <summary>A clone shares nothing with its snapshot any more.</summary>
    public const string VolumeFlattened = "volume-flattened";

    /// <summary>A snapshot was taken.</summary>
    public const string SnapshotCreated = "snapshot-created";

    /// <summary>A snapshot has another name.</summary>
    public const string SnapshotRenamed = "snapshot-renamed";

    /// <summary>A snapshot is gone.</summary>
    public const string SnapshotDeleted = "snapshot-deleted";

    /// <summary>A volume is as a snapshot is.</summary>
    public const string SnapshotRestored = "snapshot-restored";

    /// <summary>A snapshot came as a stream.</summary>
    public const string SnapshotImported = "snapshot-imported";

    /// <summary>A schedule could not be kept.</summary>
    public const string SnapshotScheduleFailed = "snapshot-schedule-failed";

    /// <summary>A volume has another schedule.</summary>
    public const string VolumeScheduled = "volume-scheduled";

    /// <summary>A client uses a volume from now on.</summary>
    public const string ClientConnected = "client-connected";

    /// <summary>A client uses a volume no longer.</summary>
    public const string ClientDisconnected = "client-disconnected";

    /// <summary>What a client did was refused, or cut off, or failed.</summary>
    public const string ClientFailed = "client-failed";

    /// <summary>A pool gets short of space, or shorter.</summary>
    public const string PoolSpaceShort = "pool-space-short";

    /// <summary>A pool is short of space no longer.</summary>
    public const string PoolSpaceEnough = "pool-space-enough";

    /// <summary>A pool holds more than it did.</summary>
    public const string PoolGrown = "pool-grown";

    /// <summary>A pool was created.</summary>
    public const string PoolCreated = "pool-created";

    /// <summary>A pool is gone.</summary>
    public const string PoolDeleted = "pool-deleted";

    /// <summary>A pool has another name.</summary>
    public const string PoolRenamed = "pool-renamed";

    /// <summary>A pool has other thresholds, or keeps deleted volumes for another time.</summary>
    public const string PoolChanged = "pool-changed";

    /// <summary>A pool lies on one more device.</summary>
    public const string PoolDeviceAdded = "pool-device-added";

    /// <summary>What lies on a device is moved to the others of its pool.</summary>
    public const string PoolDeviceLeaving = "pool-device-leaving";

    /// <summary>A device was taken out of a pool.</summary>
    public const string PoolDeviceRemoved = "pool-device-removed";

    /// <summary>A pool was closed for good.</summary>
    public const string PoolExported = "pool-exported";

    /// <summary>A pool is open again.</summary>
    public const string PoolImported = "pool-imported";

    /// <summary>A pool cannot be opened.</summary>
    public const string PoolUnavailable = "pool-unavailable";

    /// <summary>A pool was not closed in order; what was found, and the end of the check of what was being overwritten.</summary>
    public const string PoolRecovery = "pool-recovery";

    /// <summary>A pool refuses writes until the server is started again.</summary>
    public const string PoolFailed = "pool-failed";

    /// <summary>The disk below has no room for the map of a pool, or has room again.</summary>
    public const string PoolMetadataSpace = "pool-metadata-space";

    /// <summary>The disk below refused to take back what was freed.</summary>
    public const string PoolReclaim = "pool-reclaim";

    /// <summary>A RAID set was opened without a member, or one of its members is older than the set.</summary>
    public const string RaidMemberMissing = "raid-member-missing";

    /// <summary>A device of a RAID set is not used: it is of another time, or was replaced.</summary>
    public const string RaidDeviceIgnored = "raid-device-ignored";

    /// <summary>A member of a RAID set has failed; the others make up for it.</summary>
    public const string RaidMemberFailed = "raid-member-failed";

    /// <summary>A RAID set was not closed in order; what was found.</summary>
    public const string RaidRecovered = "raid-recovered";

    /// <summary>A device of a RAID set is given what it should hold.</summary>
    public const string RaidRebuildStarted = "raid-rebuild-started";

    /// <summary>A device of a RAID set holds all that it should.</summary>
    public const string RaidRebuildFinished = "raid-rebuild-finished";

    /// <summary>A device of a RAID set could not be given what it should hold.</summary>
    public const string RaidRebuildFailed = "raid-rebuild-failed";

    /// <summary>A device waits for a member of a RAID set to fail.</summary>
    public const string RaidSpareAdded = "raid-spare-added";

    /// <summary>A device does not belong to its RAID set any more.</summary>
    public const string RaidDeviceRemoved = "raid-device-removed";

    /// <summary>A stripe of a RAID set was inconsistent or could not be read.</summary>
    public const string RaidInconsistent = "raid-inconsistent";

    /// <summary>All stripes of a RAID set were looked at.</summary>
    public const string RaidScrubFinished = "raid-scrub-finished";

    /// <summary>A device of a pool is not where it was: deleted, moved, or another one is there.</summary>
    public const string PoolDeviceGone = "pool-device-gone";

    /// <summary>A device of a pool was replaced by another.</summary>
    public const string PoolDeviceReplaced = "pool-device-replaced";

    /// <summary>A damaged block was mended from another copy.</summary>
    public const string BlockRepaired = "block-repaired";

    /// <summary>A block fails its checksum, or cannot be read.</summary>
    public const string DamagedBlock = "damaged-block";

    /// <summary>A piece of a map cannot be read: one MiB of a volume.</summary>
    public const string DamagedMap = "damaged-map";

    /// <summary>A copy of a pool's superblock was damaged, and written anew.</summary>
    public const string DamagedSuperblock = "damaged-superblock";

    /// <summary>Blocks that were being overwritten at an unclean stop were taken as they were found.</summary>
    public const string BlocksUnverified = "blocks-unverified";

    /// <summary>A volume was finished, undone or lost a part of its space, other than by a request.</summary>
    public const string VolumeChanged = "volume-changed";

    /// <summary>The file store cannot be used.</summary>
    public const string FilesUnavailable = "files-unavailable";

    /// <summary>What is done for files by the clock could not be begun.</summary>
    public const string FilesUpkeepFailed = "files-upkeep-failed";

    /// <summary>A customer was created or deleted, or has another quota.</summary>
    public const string CustomerChanged = "customer-changed";

    /// <summary>A user was created or deleted.</summary>
    public const string UserChanged = "user-changed";

    /// <summary>A key was created or deleted.</summary>
    public const string KeyChanged = "key-changed";

    /// <summary>Volumes are reached otherwise through a portal.</summary>
    public const string PortalChanged = "portal-changed";

    /// <summary>There is one more export.</summary>
    public const string ExportCreated = "export-created";

    /// <summary>An export lets in others, or to do something else.</summary>
    public const string ExportChanged = "export-changed";

    /// <summary>An export is no more.</summary>
    public const string ExportDeleted = "export-deleted";

    /// <summary>There is one more storage node.</summary>
    public const string NodeAdded = "node-added";

    /// <summary>A storage node is in another failure domain, is being emptied, or is no longer.</summary>
    public const string NodeChanged = "node-changed";

    /// <summary>A storage node is not there, or cannot be used.</summary>
    public const string NodeUnavailable = "node-unavailable";

    /// <summary>A storage node is there again.</summary>
    public const string NodeAvailable = "node-available";

    /// <summary>A storage node will not come back.</summary>
    public const string NodeLost = "node-lost";

    /// <summary>A storage node was forgotten.</summary>
    public const string NodeRemoved = "node-removed";

    /// <summary>A task was begun.</summary>
    public const string TaskStarted = "task-started";

    /// <summary>A task has ended, and what it found.</summary>
    public const string TaskEnded = "task-ended";

    /// <summary>A request to the API was answered.</summary>
    public const string RequestAnswered = "request-answered";

    /// <summary>A request to the API failed, not by its own fault.</summary>
    public const string RequestFailed = "request-failed";

    /// <summary>The web server has something to say.</summary>
    public const string WebServer = "web-server";

    /// <summary>Lines of one kind were left out.</summary>
    public const string LinesLeftOut = "lines-left-out";

    /// <summary>Something that only a mistake in the program explains.</summary>
    public const string Bug = "bug";
}
