using Ashlar.Api;
using Ashlar.Blocks;

namespace Ashlar.Server;

/// <summary>Attached clients as objects of the API.</summary>
static class SessionObjects
{
    public static IReadOnlyList<VolumeSession> Of(VolumeFront? front) =>
        front is null ? [] : [.. front.Sessions.Select(session => Of(session, front.Access.ReservedBy == session))];

    static VolumeSession Of(ClientSession session, bool holdsReservation)
    {
        var statistics = session.GetStatistics();
        return new()
        {
            Protocol = ExportNames.Protocol(session.Client.Protocol),
            Client = session.Client.Name,
            Address = session.Client.Address,
            AttachedAt = session.AttachedAt,
            InFlight = session.InFlight,
            HoldsReservation = holdsReservation,
            Reads = Of(statistics[DriverOperation.Read]),
            Writes = Of(statistics[DriverOperation.Write]),
            Zeroes = Of(statistics[DriverOperation.WriteZeroes]),
            Trims = Of(statistics[DriverOperation.Trim]),
            Flushes = Of(statistics[DriverOperation.Flush]),
        };
    }

    static OperationCounts Of(OperationStatistics statistics) => new(
        statistics.Count,
        statistics.Bytes,
        statistics.Failures,
        statistics.Latency.P50.TotalMicroseconds,
        statistics.Latency.P99.TotalMicroseconds,
        statistics.Latency.Max.TotalMicroseconds);
}
