namespace Ashlar.Transport;

/// <summary>Who may connect to a Unix socket: who may write to its file.</summary>
/// <param name="Mode">Permissions of the file.</param>
/// <param name="User">Number of the user it belongs to; null for that of the process.</param>
/// <param name="Group">Number of the group it belongs to; null for that of the process.</param>
public sealed record LocalSocketAccess(
    UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite, uint? User = null, uint? Group = null);
