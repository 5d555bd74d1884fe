namespace Ashlar.Nvme;

/// <summary>The host has ended the connection because of a PDU of ours.</summary>
sealed class HostTerminationException(TerminationPdu cause)
    : Exception($"ended by the host: error {(ushort)cause.Status:X2}h, information {cause.Information:X8}h");
