(* The finite linear part of Theorem 1 of Liu, Zhang and Xiong (2019), checked by Coq: `make proofs`.

   Alphabets are finite, numbers are those of any ordered field (rationals, reals, ...), restorations
   may draw lots, Delta has any sign, there may be any number of classes.  (4), (11) and (14) hold for
   every Delta, (13) for total variation.  C(D,P) is an infimum here, so that nothing is assumed about
   its being attained; where one of the points to be mixed is infeasible, its C is infinite and there
   is nothing to prove. *)

From mathcomp Require Import all_ssreflect all_algebra.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Lemma le_slack (F : realFieldType) (c m : F) : (forall e, 0 < e -> c <= m + e) -> c <= m.
Proof.
move=> near; rewrite leNgt; apply/negP => mc; have [lo hi] := midf_lt mc.
by have := near ((m + c) / 2 - m); rewrite subr_gt0 lo addrC subrK leNgt hi => /(_ isT).
Qed.

Section Theorem1.

(* definitions *)
Variable F : realFieldType.
Variables Class X Y Z : finType.    (* Z: the letters of X^ *)
Variable joint : Class -> X -> F.   (* p(class, x) *)
Variable channel : X -> Y -> F.     (* p(y | x) *)
Variable Delta : X -> Z -> F.
Variable c0 : Z -> Class.           (* the predefined classifier *)
Variable px : Z -> F.               (* the law of X, on the letters of X^ *)
Implicit Types q r : Y -> Z -> F.   (* restorations p(x^ | y) *)

Definition restoration q := (forall y z, 0 <= q y z) /\ (forall y, \sum_z q y z = 1).
Definition class_law q i z := \sum_x \sum_y joint i x * channel x y * q y z.
Definition law q z := \sum_i class_law q i z.
Definition distortion q :=
  \sum_i \sum_x \sum_y \sum_z joint i x * channel x y * q y z * Delta x z.
Definition error q := 1 - \sum_z class_law q (c0 z) z.
Definition tv q := 2^-1 * \sum_z `|px z - law q z|.

Definition within D P q := [/\ restoration q, distortion q <= D & tv q <= P].
Definition is_C D P c :=
  (forall q, within D P q -> c <= error q) /\
  (forall e, 0 < e -> exists2 q, within D P q & error q <= c + e).
Definition mix t q r y z := t * q y z + (1 - t) * r y z.
(* end *)

Variable t : F.
Hypothesis t01 : 0 <= t <= 1.

Let t0 : 0 <= t. Proof. by case/andP: t01. Qed.
Let s0 : 0 <= 1 - t. Proof. by rewrite subr_ge0; case/andP: t01. Qed.

Lemma sum_mix (I : finType) (f g : I -> F) :
  \sum_i (t * f i + (1 - t) * g i) = t * (\sum_i f i) + (1 - t) * (\sum_i g i).
Proof. by rewrite big_split /= -!mulr_sumr. Qed.

Lemma mul_mix (a b c : F) : a * (t * b + (1 - t) * c) = t * (a * b) + (1 - t) * (a * c).
Proof. by rewrite mulrDr !mulrA ![a * _]mulrC. Qed.

Lemma le_mix (a b c d : F) : a <= b -> c <= d -> t * a + (1 - t) * c <= t * b + (1 - t) * d.
Proof.
move=> ab cd; rewrite -subr_ge0 opprD addrACA -!mulrBr.
by rewrite addr_ge0 // mulr_ge0 // subr_ge0.
Qed.

Lemma ge_neg_norm (a : F) : - `|a| <= a.
Proof. by have := lexx `|a|; rewrite ler_norml => /andP[]. Qed.

Lemma norm_mix (a b : F) : `|t * a + (1 - t) * b| <= t * `|a| + (1 - t) * `|b|.
Proof.
rewrite ler_norml; apply/andP; split; last by apply: le_mix; exact: ler_norm.
by rewrite opprD -!mulrN; apply: le_mix; exact: ge_neg_norm.
Qed.

Section Mixture.
Variables q r : Y -> Z -> F.

Lemma mix_restoration : restoration q -> restoration r -> restoration (mix t q r).
Proof.
move=> [q0 q1] [r0 r1]; split=> [y z|y].
  by rewrite /mix addr_ge0 // mulr_ge0.
by rewrite /mix sum_mix q1 r1 !mulr1 addrC subrK.
Qed.

(* (4): the law of X^ given the class is linear in the restoration *)
Theorem eq4 i z :
  class_law (mix t q r) i z = t * class_law q i z + (1 - t) * class_law r i z.
Proof.
rewrite /class_law -sum_mix; apply: eq_bigr => x _.
by rewrite -sum_mix; apply: eq_bigr => y _; rewrite -mul_mix.
Qed.

Lemma law_mix z : law (mix t q r) z = t * law q z + (1 - t) * law r z.
Proof. by rewrite /law -sum_mix; apply: eq_bigr => i _; exact: eq4. Qed.

Theorem eq11 : error (mix t q r) = t * error q + (1 - t) * error r.
Proof.
rewrite /error !mulrBr !mulr1 addrACA -opprD -sum_mix [t + _]addrC subrK.
by congr (1 - _); apply: eq_bigr => z _; exact: eq4.
Qed.

Theorem eq14 : distortion (mix t q r) = t * distortion q + (1 - t) * distortion r.
Proof.
rewrite /distortion -sum_mix; apply: eq_bigr => i _.
rewrite -sum_mix; apply: eq_bigr => x _.
rewrite -sum_mix; apply: eq_bigr => y _.
by rewrite -sum_mix; apply: eq_bigr => z _; rewrite /mix mul_mix mulrDl !mulrA.
Qed.

Theorem eq13 : tv (mix t q r) <= t * tv q + (1 - t) * tv r.
Proof.
rewrite /tv -mul_mix -sum_mix -subr_ge0 -mulrBr mulr_ge0 ?invr_ge0 ?ler0n // subr_ge0.
apply: ler_sum => z _; apply: le_trans (norm_mix _ _).
by rewrite law_mix !mulrBr addrACA -opprD -mulrDl [t + _]addrC subrK mul1r.
Qed.

(* What (12) to (15) rest on: the mixture is within the mixed budgets *)
Theorem mixture_within D1 P1 D2 P2 : within D1 P1 q -> within D2 P2 r ->
  within (t * D1 + (1 - t) * D2) (t * P1 + (1 - t) * P2) (mix t q r).
Proof.
move=> [qq qD qP] [rr rD rP]; split; first exact: mix_restoration.
  by rewrite eq14; exact: le_mix.
by apply: le_trans eq13 _; exact: le_mix.
Qed.

End Mixture.

(* theorem *)
Theorem convex D1 P1 c1 D2 P2 c2 c : is_C D1 P1 c1 -> is_C D2 P2 c2 ->
  is_C (t * D1 + (1 - t) * D2) (t * P1 + (1 - t) * P2) c ->
  c <= t * c1 + (1 - t) * c2.
(* proof *)
Proof.
move=> [_ near1] [_ near2] [least _]; apply: le_slack => e e0.
have [q inq eq] := near1 e e0; have [r inr er] := near2 e e0.
apply: le_trans (least _ (mixture_within inq inr)) _; rewrite eq11.
apply: le_trans (le_mix eq er) _.
by rewrite !mulrDr addrACA -mulrDl [t + _]addrC subrK mul1r.
Qed.

End Theorem1.

Section Monotone.
Variable F : realFieldType.
Variables Class X Y Z : finType.
Variables (joint : Class -> X -> F) (channel : X -> Y -> F).
Variables (Delta : X -> Z -> F) (c0 : Z -> Class) (px : Z -> F).

Theorem non_increasing D1 P1 c1 D2 P2 c2 : D1 <= D2 -> P1 <= P2 ->
  is_C joint channel Delta c0 px D1 P1 c1 -> is_C joint channel Delta c0 px D2 P2 c2 ->
  c2 <= c1.
Proof.
move=> DD PP [_ near1] [least _]; apply: le_slack => e e0.
have [q [qq qD qP] eq] := near1 e e0; apply: le_trans eq; apply: least.
by split=> //; [exact: le_trans qD DD | exact: le_trans qP PP].
Qed.

End Monotone.

Print Assumptions eq4.
Print Assumptions eq11.
Print Assumptions eq13.
Print Assumptions eq14.
Print Assumptions mixture_within.
Print Assumptions convex.
Print Assumptions non_increasing.
