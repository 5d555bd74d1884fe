using Ashlar.Storage;

namespace Ashlar.Iscsi;

/// <summary>The initiator broke the protocol so that its connection cannot go on.</summary>
sealed class ProtocolException(string problem) : AshlarException(problem);
