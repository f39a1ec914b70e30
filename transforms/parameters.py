"""The thresholds of METRICS.md, in one place. Written to input.parameter and from there to meta_parameter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Defaults as METRICS.md states them; seconds, hours and days are whole numbers, shares lie in 0..1."""

    reporting_timezone: str = "UTC"
    reporting_currency: str = "EUR"
    connect_min_talk_seconds: int = 30
    conversation_min_talk_seconds: int = 60
    call_match_before_seconds: int = 300
    call_match_after_seconds: int = 900
    call_match_tolerance_seconds: int = 15
    call_match_tolerance_share: float = 0.1
    fiscal_year_start_month: int = 1
    reply_window_days: int = 14
    crm_logging_limit_hours: int = 24
    mail_pressure_limit: int = 4
    mail_pressure_days: int = 7
    mail_streak_limit: int = 6
    mail_reps_limit: int = 2
    bounce_rate_limit: float = 0.02
    coaching_min_connected: int = 50
    coaching_z: float = -2.0
    coaching_days: int = 20
    message_baseline_days: int = 40
    message_recent_days: int = 5
    message_share: float = 0.6
    message_min_calls: int = 10
    caller_id_drop: float = 0.5
    suspicious_answer_seconds: int = 5
    suspicious_dials_per_hour: int = 5
    suspicious_log_hour: int = 17
    reprocess_days: int = 35
    amount_grace_days: int = 30
    fx_carry_days: int = 7
    stage_conversion_days: int = 90
    include_partial: bool = False
    business_hours_start: int = 9
    business_hours_end: int = 17
