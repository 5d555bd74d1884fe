namespace Ashlar.Simulation;

/// <summary>Calls on a disk that can be made to fail.</summary>
[Flags]
public enum FaultOperations
{
    None = 0,
    Open = 1 << 0,

    /// <summary>Asking whether a file or a directory exists.</summary>
    Exists = 1 << 1,
    List = 1 << 2,
    CreateDirectory = 1 << 3,
    DeleteDirectory = 1 << 4,
    Rename = 1 << 5,
    Delete = 1 << 6,
    SyncDirectory = 1 << 7,
    Lock = 1 << 8,
    FreeSpace = 1 << 9,

    /// <summary>Both kinds of read.</summary>
    Read = 1 << 10,
    Write = 1 << 11,
    SetLength = 1 << 12,
    Allocate = 1 << 13,
    PunchHole = 1 << 14,
    Sync = 1 << 15,

    /// <summary>Length and allocated size of an open file.</summary>
    Length = 1 << 16,

    /// <summary>The start of a write-back, where nothing is waited for.</summary>
    WriteBack = 1 << 17,

    /// <summary>Zeroing that keeps the space.</summary>
    ZeroRange = 1 << 18,

    /// <summary>Asking a lock that is held whether its path still leads to it.</summary>
    LockState = 1 << 19,

    /// <summary>Whatever changes the disk, syncs included; and every open, because it may create.</summary>
    Changes = Open | CreateDirectory | DeleteDirectory | Rename | Delete | SyncDirectory
        | Write | SetLength | Allocate | PunchHole | ZeroRange | Sync | WriteBack,

    All = Changes | Exists | List | Lock | LockState | FreeSpace | Read | Length,
}
