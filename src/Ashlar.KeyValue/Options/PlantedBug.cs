namespace Ashlar.KeyValue.Options;

/// <summary>
/// Faults that tests plant to prove that the crash tests would notice them. Nothing but tests can set one.
/// </summary>
enum PlantedBug
{
    None = 0,
    SkipLogSync,
    AcknowledgeBeforeSync,
    SkipDirectorySyncOfLog,
    SkipDirectorySyncOfTable,
    RenameManifestBeforeSync,
    SkipDirectorySyncOfManifest,
    SkipManifestSync,
    IgnoreGroupChecksum,
    InstallTableBeforeSync,
    DropTombstonesEarly,
    AdvanceReplayBeforeTable,
    DeleteInputsBeforeEdit,
    SkipLogSyncAtRotation,
    DropExpiredEarly,
    MoveInTwoEdits,
    StepInTwoEdits,
    MergeNewestOfLevelZeroOnly,
    InstallBeforeMovedValuesAreSynced,
    DropCondemnedBeforeEdit,
    IgnoreValueChecksum,
    SkipRewriteOfDoubtfulTail,
    AcknowledgeByLaterFlush,
    DurableThroughBeforeSync,
    PublishBeforeInsertion,
    SnapshotOfUnpublished,
    SkipArchiveSync,
    SkipDirectorySyncOfArchive,
    ReleaseLogBeforeArchive,
    ArchiveBeforeSync,
    DropShadowedUnderSnapshot,
    ForgetSnapshotsButTheOldest,
}
